"""A verdict for people: who breaks, why, by which route, what shows it, what mends it; then in which order to deploy."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

import click

from stamp.cli.render.deployment import deployment
from stamp.cli.render.impact import ordered
from stamp.cli.render.paragraph import item
from stamp.cli.render.quantity import counted
from stamp.cli.render.same import Same, grouped
from stamp.cli.render.trouble import tag, trouble
from stamp.cli.render.visible import visible
from stamp.cli.terminal import COLOURS, USUAL
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple.wording import listed

__all__ = ["render"]

MAX_INFOS: Final = 12
"""How many infos are told. Errors and warnings all are."""


def render(verdict: Verdict, *, width: int = USUAL) -> str:
    """Return text with the colours of a terminal, on lines of at most `width` letters unless a name is longer."""
    found = grouped(ordered(verdict.impacts))
    troubles = [each for each in found if each.finding.severity is not Severity.INFO]
    infos = [each for each in found if each.finding.severity is Severity.INFO]
    told: set[str] = set()
    sections = [
        *(trouble(each, verdict, told, width=width) for each in troubles),
        chain(_infos(infos, width), _accepted(verdict, width)),
        deployment(verdict, width=width),
        _summary(verdict, troubles),
    ]
    return "\n\n".join(filter(None, ("\n".join(lines) for lines in sections)))


def _infos(infos: list[Same], width: int) -> Iterator[str]:
    for same in infos[:MAX_INFOS]:
        reasons = dict.fromkeys(fault.message for fault in same.faults)
        yield from item(
            "info", ": ".join([same.message, *reasons]), tag(same), width=width, fg=COLOURS[Severity.INFO], bold=True
        )
    if len(infos) > MAX_INFOS:
        yield from item(
            "", f"and {counted(len(infos) - MAX_INFOS, 'info')} more", "`--format json` has all", width=width
        )


def _accepted(verdict: Verdict, width: int) -> Iterator[str]:
    for same in grouped(verdict.accepted):
        entry = same.first.accepted
        assert entry is not None
        until = f", until {entry.until}" if entry.until is not None else ""
        yield from item("accepted", f"{same.message}: {entry.reason}{until}", tag(same), width=width, dim=True)


def _summary(verdict: Verdict, troubles: list[Same]) -> Iterator[str]:
    present = [each for each in Severity if verdict.count(each)]
    found = ", ".join(counted(verdict.count(each), each.value) for each in present)
    colour = COLOURS[present[0]] if present else "green"
    accepted = f", {len(verdict.accepted):,} accepted," if verdict.accepted else ""
    against = f" against {listed(verdict.baselines)}" if verdict.baselines else ""
    yield (
        f"{click.style(found or 'Nothing found', fg=colour, bold=True)}{accepted} in {visible(f'{verdict.schemas}{against}')}"
        f": {', '.join(_looked_at(verdict))}"
    )
    if verdict.report.proof is not None and verdict.report.proof.unshown:
        yield f"There was no time for a witness or a fix of {verdict.report.proof.unshown:,} of them: `--prove` takes it"
    if troubles:
        rule = next((fault.rule for fault in troubles[0].faults), troubles[0].finding.rule)
        yield click.style(f"`stamp explain {visible(rule)}` says more", dim=True)


def _looked_at(verdict: Verdict) -> Iterator[str]:
    report = verdict.report
    yield counted(sum(len({party.step for party in graph.parties}) for graph in report.graph.values()), "step")
    yield counted(len(report.pairs), "pair") + " of a view and a version"
    if report.proof is not None and report.proof.pairs:
        yield f"{report.proof.pairs:,} of them proved by {report.proof.data:,} data"
