"""An error or a warning for people: who breaks, why, by which route, what shows it, what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from stamp.cli.render.datum import brief
from stamp.cli.render.paragraph import headline, paragraph
from stamp.cli.render.same import Same
from stamp.cli.rulebook import RULEBOOK
from stamp.cli.terminal import COLOURS
from stamp.cli.verdict import Verdict
from stamp.compat import Finding, Severity
from stamp.ripple.wording import listed, route

__all__ = ["tag", "trouble"]

MAX_DATUM: Final = 80
"""Characters of a witness; of a longer one only what the finding is about is told."""

MAX_DATA: Final = 12
"""Bytes of a witness; longer ones are left out."""


def trouble(same: Same, verdict: Verdict, told: set[str], *, width: int) -> Iterator[str]:
    """Yield lines about impacts of which the same is to be said. `told` are the rules whose remedy has been told."""
    severity = same.finding.severity
    message, is_order = _without_order(same, verdict)
    yield from headline(severity.value, message, tag(same), width=width, fg=COLOURS[severity])
    if is_order:
        return
    yield from _why(same, width)
    if same.faults and severity is Severity.ERROR:
        yield from _arrives(same, width)
    if len(verdict.baselines) > 1 and same.baselines:
        yield from paragraph("against", listed(same.baselines), width=width)
    yield from _witness(same, width)
    yield from _what_to_do(same, verdict, told, width)


def _without_order(same: Same, verdict: Verdict) -> tuple[str, bool]:
    """Return what is said; of an order of deployment only that there is none, for the reasons are told where orders are."""
    for rollout in verdict.report.rollouts if not same.faults else ():
        message, _, reasons = same.message.partition(", as ")
        if rollout.obstacles and reasons.startswith("; ".join(rollout.obstacles)):
            return f"{message}, see below", True
    return same.message, False


def tag(same: Same) -> str:
    """Return the rule, and whether a baseline has it already."""
    return f"{same.finding.rule}, known" if same.first.is_known else same.finding.rule


def _why(same: Same, width: int) -> Iterator[str]:
    reasons: dict[tuple[str, str], list[Finding]] = {}
    for fault in same.faults:
        reasons.setdefault((fault.message, fault.rule), []).append(fault)
    for (message, rule), faults in reasons.items():
        yield from paragraph("why", f"{message} [{rule}]", width=width)
        yield from paragraph("reader", same.places(fault.reader for fault in faults), width=width)
        yield from paragraph("writer", same.places(fault.writer for fault in faults), width=width)
    if not reasons:
        yield from paragraph("where", same.places((same.finding.reader, same.finding.writer)), width=width)


def _arrives(same: Same, width: int) -> Iterator[str]:
    ways = {impact.consumer: impact.routes[0] for impact in same.impacts if impact.routes}
    texts = [f"{step}: {route(way)}" if len(same.consumers) > 1 else route(way) for step, way in ways.items()]
    yield from paragraph("arrives", texts, width=width)
    if same.carriers:
        yield from paragraph("carried", f"by {listed(same.carriers)}: not broken", width=width)


def _witness(same: Same, width: int) -> Iterator[str]:
    for fault in same.faults:
        if fault.witness is not None:
            data = f"  bytes {fault.witness.data.hex()}" if len(fault.witness.data) <= MAX_DATA else ""
            datum = brief(json.loads(fault.witness.datum), fault.path, MAX_DATUM)
            texts = [f"{datum}{data}", f"→ {fault.witness.outcome}"]
            yield from paragraph("witness", texts, width=width)
            break


def _what_to_do(same: Same, verdict: Verdict, told: set[str], width: int) -> Iterator[str]:
    fixes = dict.fromkeys(fault.fix.text for fault in same.faults if fault.fix is not None)
    pair = same.first.pair
    if fixes:
        side = "in the view" if pair is None or pair.is_view else f"in {same.first.versions[0]}"
        yield from paragraph("fix", (f"{side}: {fix}" for fix in fixes), width=width, fg="green")
    elif pair is not None and pair.is_view and not pair.is_open and same.first.producer is not None:
        yield from _in_order(same, same.first.producer, verdict, width)
    else:
        yield from _remedy(same, told, width)


def _in_order(same: Same, producer: str, verdict: Verdict, width: int) -> Iterator[str]:
    """Yield what to do about a view that runs already: wait until it does no more."""
    here = {(same.first.workflow, baseline) for baseline in same.baselines}
    if all(each.is_safe for each in verdict.report.rollouts if (each.workflow, each.baseline) in here):
        text = f"deploy {listed(same.consumers)} everywhere before {producer}"
        yield from paragraph("fix", text, width=width, fg="green")


def _remedy(same: Same, told: set[str], width: int) -> Iterator[str]:
    rule = RULEBOOK.get(next((fault.rule for fault in same.faults), same.finding.rule))
    if rule is not None and rule.id not in told:
        told.add(rule.id)
        yield from paragraph("do", rule.remedy, width=width)
