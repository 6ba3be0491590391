"""`stamp rules`: all rules of a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import click

from stamp.cli.render.example import example_lines
from stamp.cli.render.markdown import row, text
from stamp.cli.rulebook import KINDS, RULEBOOK, Rule, kind
from stamp.cli.terminal import COLOURS, is_coloured

__all__ = ["command"]


def _text() -> Iterator[str]:
    width = max(map(len, RULEBOOK))
    for name, about in KINDS.items():
        yield f"{click.style(f'Rules of a {name}', bold=True)}: {about}"
        for rule in _of(name):
            severity = click.style(f"{rule.severity.value:<7}", fg=COLOURS[rule.severity])
            yield f"  {severity}  {rule.id:<{width}}  {rule.title}"
        yield ""
    yield "`stamp explain RULE` says more of one."


def _json() -> Iterator[str]:
    words = ("id", "severity", "title", "why", "remedy")
    listed = [{"kind": kind(rule)} | {word: getattr(rule, word) for word in words} for rule in RULEBOOK.values()]
    yield json.dumps({"version": 1, "rules": listed}, indent=2)


def _markdown() -> Iterator[str]:
    yield "# Rules of `stamp check`\n"
    yield "`stamp rules --format markdown` writes this page. `stamp explain RULE` shows what the check says of an example."
    for name, about in KINDS.items():
        yield f"\n## Rules of a {name}\n"
        yield f"{about.capitalize()}.\n"
        yield from (row("Rule", "Severity", "What it finds"), row("---", "---", "---"))
        yield from (row(f"[{rule.id}](#{rule.id})", rule.severity.value, text(rule.title)) for rule in _of(name))
    for rule in RULEBOOK.values():
        yield from _chapter(rule)


def _chapter(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.id}\n"
    yield f"{rule.severity.value.capitalize()}. {rule.title}.\n"
    yield f"{rule.why}\n"
    yield f"**What to do:** {rule.remedy}"
    if lines := example_lines(rule):
        yield "\n".join(("\n```diff" if lines[0][:1] in {" ", "-", "+"} else "\n```text", *lines, "```"))


def _of(name: str) -> list[Rule]:
    return [rule for rule in RULEBOOK.values() if kind(rule) == name]


FORMATS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {"text": _text, "json": _json, "markdown": _markdown}


@click.command(short_help="List the rules of the check.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="text", help="How.  [default: text]")
def command(*, format_: str) -> None:
    """List all rules: what each finds, and how severe that is."""
    click.echo("\n".join(FORMATS[format_]()), color=is_coloured())
