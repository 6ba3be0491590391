"""A verdict for people: who breaks, why, by which route, what shows it, what mends it; then in which order to deploy."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from stamp.cli.render.accepted import accepted
from stamp.cli.render.deployment import deployment
from stamp.cli.render.impact import ordered
from stamp.cli.render.paragraph import item, sentence
from stamp.cli.render.quantity import counted
from stamp.cli.render.same import Same, grouped
from stamp.cli.render.trouble import tag, trouble
from stamp.cli.terminal import COLOURS, USUAL
from stamp.cli.verdict import Verdict
from stamp.compat import MAX_FIXES, Severity
from stamp.ripple import Proof
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
        chain(_infos(infos, width), accepted(verdict, width)),
        deployment(verdict, width=width),
        _summary(verdict, troubles, width),
    ]
    return "\n\n".join(filter(None, ("\n".join(lines) for lines in sections)))


def _infos(infos: list[Same], width: int) -> Iterator[str]:
    style = {"fg": COLOURS[Severity.INFO], "bold": True}
    for same in infos[:MAX_INFOS]:
        reasons = {fault.message: fault.rule for fault in same.faults}
        rule = next(iter(reasons.values()), tag(same))
        yield from item("info", ": ".join([same.message, *reasons]), rule, width=width, **style)
    if len(infos) > MAX_INFOS:
        yield from item(
            "", f"and {counted(len(infos) - MAX_INFOS, 'info')} more", "`--format json` has all", width=width
        )


def _summary(verdict: Verdict, troubles: list[Same], width: int) -> Iterator[str]:
    present = [each for each in Severity if verdict.count(each)]
    told = grouped(verdict.impacts)
    found = [_number([same for same in told if same.finding.severity is each], each.value) for each in present]
    found = found or ["nothing found"]
    besides = [f"{len(grouped(verdict.accepted)):,} accepted"] if verdict.accepted else []
    against = f" against {listed(verdict.compared)}" if verdict.baselines else ""
    text = f"{', '.join([*found, *besides])} in {verdict.schemas}{against}: {', '.join(_looked_at(verdict))}"
    yield from sentence(text, width=width, fg=COLOURS[present[0]] if present else "green", bold=True)
    for text in [] if verdict.report.proof is None else _left_out(verdict.report.proof):
        yield from sentence(text, width=width)
    if troubles:
        rule = next((fault.rule for fault in troubles[0].faults), troubles[0].finding.rule)
        yield from sentence(f"`stamp explain {rule}` says more", width=width, dim=True)


def _left_out(proof: Proof) -> Iterator[str]:
    if proof.unshown:
        yield f"there was no time to show by data {counted(proof.unshown, 'finding')} of single fields and versions: `--prove` takes it"
    if proof.over_limit:
        yield (
            f"for {counted(proof.over_limit, 'finding')} no fix was looked for: {MAX_FIXES} findings of one view and version are tried; "
            "mend those, and check again"
        )
    if proof.unproved:
        yield f"there was no time to decode data for {counted(proof.unproved, 'pair')}: check one `--workflow` at a time"


def _number(told: list[Same], noun: str) -> str:
    """Return how many things are told, and of how many steps where that is more: `1 error at 2 steps`."""
    steps = {(same.first.workflow, step) for same in told for step in same.consumers}
    is_shared = any(len(same.consumers) > 1 for same in told)
    return counted(len(told), noun) + (f" at {counted(len(steps), 'step')}" if is_shared else "")


def _looked_at(verdict: Verdict) -> Iterator[str]:
    report = verdict.report
    yield counted(sum(len({party.step for party in graph.parties}) for graph in report.graph.values()), "step")
    yield counted(len(report.pairs), "pair") + " of a view and a version"
    if report.proof is not None and report.proof.pairs:
        yield f"{report.proof.pairs:,} of them proved by {report.proof.data:,} data"
