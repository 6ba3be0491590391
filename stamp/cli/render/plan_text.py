"""An order of deployment for people: phases with their steps, and why each had to wait; or what is in the way, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

import click

from stamp.cli.render.accepted import accepted, changes
from stamp.cli.render.errors import errors
from stamp.cli.render.visible import visible
from stamp.cli.terminal import USUAL
from stamp.cli.verdict import Verdict
from stamp.ripple import Handover, Phase, Rollout
from stamp.ripple.wording import listed

__all__ = ["render"]

INDENT: Final = 5
"""Letters before what is said of a phase."""


def render(verdict: Verdict, *, width: int = USUAL) -> str:
    """Return text with the colours of a terminal, on lines of at most `width` letters unless a name is longer."""
    sections = [
        *(list(_rollout(each, width)) for each in verdict.report.rollouts),
        list(accepted(verdict, width)),
        list(changes(verdict, width)),
        list(_end(verdict, width)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _rollout(rollout: Rollout, width: int) -> Iterator[str]:
    head = "order of deployment" if rollout.is_safe else "no order of deployment is safe"
    yield _head(f"{rollout.workflow}: {head}", f", from {rollout.baseline}", is_good=rollout.is_safe)
    if rollout.is_safe:
        for phase in rollout.phases:
            yield from _phase(phase, width)
            yield from _given([each for each in rollout.handovers if each.phase == phase.number], width)
        return
    yield from _listed("In the way", rollout.obstacles, width)
    yield from _listed("The way out", (half for way in rollout.ways_out for half in _HALVES.split(way)), width)


_HALVES: Final = re.compile(r"(?<=\.) (?=Contract: )")
"""Where the text of a way out goes from expanding to contracting."""


def _head(text: str, rest: str, *, is_good: bool) -> str:
    return f"{click.style(visible(text), bold=True, fg='green' if is_good else 'red')}{visible(rest)}"


def _phase(phase: Phase, width: int) -> Iterator[str]:
    yield ""
    steps = ", ".join(f"{step} (removed)" if step in phase.removed else step for step in phase.steps)
    first, *rest = _wrapped(steps, width)
    yield f"{click.style(f'{phase.number:>3}  ', bold=True)}{click.style(first, bold=True)}"
    yield from (f"{' ' * INDENT}{click.style(line, bold=True)}" for line in rest)
    if phase.reasons:
        yield f"{' ' * INDENT}waits for phase {phase.number - 1}, as before that"
    for reason in phase.reasons:
        yield from _item(reason, width)


def _given(handovers: Sequence[Handover], width: int) -> Iterator[str]:
    if handovers:
        yield f"{' ' * INDENT}before it, by hand, for nothing tells these services"
    for each in handovers:
        yield from _item(f"give {listed(each.versions)} of {each.step} to {listed(each.to)}", width)


def _listed(head: str, texts: Iterable[str], width: int) -> Iterator[str]:
    present = tuple(texts)
    if present:
        yield from ("", f"  {click.style(head, bold=True)}")
        for text in present:
            yield from _item(text.removesuffix("."), width)


def _item(text: str, width: int) -> Iterator[str]:
    for number, line in enumerate(_wrapped(text, width - 2)):
        yield f"{' ' * INDENT}{'  ' if number else '- '}{line}"


def _end(verdict: Verdict, width: int) -> Iterator[str]:
    if not verdict.report.rollouts:
        yield _head(
            "Nothing to deploy", f": no service does anything else than in {listed(verdict.compared)}", is_good=True
        )
    elif any(len(rollout.phases) > 1 for rollout in verdict.report.rollouts):
        yield "Deploy the steps of a phase in any order; begin the next one when all of it runs everywhere."
    if text := errors(verdict):
        yield from (click.style(line, fg="red") for line in wrap(text, width))


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(visible(text), width - INDENT, break_long_words=False, break_on_hyphens=False) or [""]
