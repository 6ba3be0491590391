"""`stamp explain`: what a rule is about, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from textwrap import wrap
from typing import Final

import click

from stamp.cli.render.example import example_lines
from stamp.cli.render.visible import visible
from stamp.cli.rulebook import RULEBOOK, Rule
from stamp.cli.terminal import COLOURS, is_coloured
from stamp.cli.trial import tried
from stamp.compat import Finding
from stamp.errors import InputError
from stamp.schema.conventions import CONVENTIONS

__all__ = ["command"]

WIDTH: Final = 100


@click.command(short_help="Say what a rule of the check is about, and what to do.")
@click.argument("rule", metavar="RULE")
def command(*, rule: str) -> None:
    """Say what a rule finds, why that matters and what to do, with an example and what the check says of it.

    RULE is the name that stands beside a finding; `stamp rules` lists all.

    Example: stamp explain view-breaks
    """
    name = rule.strip().lower().replace("_", "-")  # ids are often copied in another case, or with underscores
    lines = _of_convention(name) if name in CONVENTIONS and name not in RULEBOOK else _explained(_named(rule, name))
    for line in lines:
        click.echo(line, color=is_coloured())


def _of_convention(name: str) -> Iterator[str]:
    yield f"{click.style('convention', bold=True)} {click.style(name, bold=True)}"
    yield CONVENTIONS[name]
    yield ""
    yield from _wrapped(
        "Avro allows it, and schemas of others are read with it. A model is refused, and so is its export: change what the message names."
    )


def _named(given: str, name: str) -> Rule:
    """Return the rule that a person means."""
    if name in RULEBOOK:
        return RULEBOOK[name]
    near = (
        get_close_matches(name, RULEBOOK, n=3, cutoff=0.5) or [each for each in RULEBOOK if name and name in each][:3]
    )
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise InputError(f"expected a rule, got {given!r}: {hint}`stamp rules` lists all")


def _explained(rule: Rule) -> Iterator[str]:
    yield f"{click.style(rule.severity.value, fg=COLOURS[rule.severity], bold=True)} {click.style(rule.id, bold=True)}"
    yield f"{rule.title}."
    yield from _section("Why", _wrapped(rule.why))
    yield from _section("What to do", _wrapped(rule.remedy))
    findings = tried(rule, today=datetime.now(UTC).date())
    if findings:
        yield from _section("Example", map(_marked, example_lines(rule)))
        yield from _section("What stamp says of it", (line for finding in findings for line in _said(finding)))


def _section(head: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"\n{click.style(head, bold=True)}"
    yield from (f"  {line}" for line in lines)


def _wrapped(text: str) -> Iterator[str]:
    yield from wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False)


MARKS: Final = {"-": "red", "+": "green"}


def _marked(line: str) -> str:
    return click.style(line, fg=MARKS[line[0]]) if line[0] in MARKS else line


def _said(finding: Finding, depth: int = 0) -> Iterator[str]:
    """Yield a finding, and below it its causes; of one that the message repeats only which rule it is of."""
    indent = "  " * depth
    told = _hanging(f"{finding.severity.value} {finding.rule}: {finding.message}", indent)
    yield told.replace(finding.severity.value, click.style(finding.severity.value, fg=COLOURS[finding.severity]), 1)
    if finding.witness is not None:
        yield _hanging(f"for example {finding.witness.datum}: {finding.witness.outcome}", f"{indent}  ")
    if finding.fix is not None:
        yield _hanging(f"fix: {finding.fix.text}", f"{indent}  ")
    for cause in finding.causes:
        if cause.message in finding.message:
            yield f"{indent}  because of {cause.rule}"
        else:
            yield from _said(cause, depth + 1)


def _hanging(text: str, indent: str) -> str:
    lines = wrap(visible(text), WIDTH - 4 - len(indent), break_long_words=False, break_on_hyphens=False)
    return f"\n  {indent}  ".join([f"{indent}{lines[0]}", *lines[1:]])
