"""What is told of an impact, whatever the format: a title, and what there is to know beside its message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from stamp.cli.render.quantity import counted
from stamp.cli.rulebook import RULEBOOK
from stamp.cli.verdict import Verdict
from stamp.compat import Finding, Severity
from stamp.ripple import Impact
from stamp.ripple.wording import listed

__all__ = ["Detail", "details", "fingerprints", "ordered", "summary", "title"]


class Detail(NamedTuple):
    """Something to know of an impact: what kind of thing, and the thing."""

    label: str
    text: str


def ordered(impacts: Iterable[Impact]) -> list[Impact]:
    """Return impacts as they are told: the more severe first, and of those equally severe what a baseline does not have yet."""
    return sorted(impacts, key=lambda impact: (impact.finding.severity.rank, impact.is_known))


def title(impact: Impact) -> str:
    """Return what the rule says of all that it finds."""
    rule = RULEBOOK.get(impact.finding.rule)
    return impact.finding.rule.replace("-", " ").capitalize() if rule is None else rule.title


def details(impact: Impact) -> list[Detail]:
    """Return what there is to know beside the message, each thing once."""
    return list(dict.fromkeys(_details(impact)))


def _details(impact: Impact) -> Iterator[Detail]:
    leaves = list(_faults(impact.finding))
    yield from (Detail("because", _cause(each, impact.finding)) for each in leaves if each is not impact.finding)
    for each in leaves:
        if each.witness is not None:
            yield from (Detail("example", each.witness.datum), Detail("outcome", each.witness.outcome))
            break
    fixes = [each.fix for each in leaves if each.fix is not None]
    yield from (Detail("fix", fix.text) for fix in fixes)
    rule = RULEBOOK.get(impact.finding.rule)
    if rule is not None and (not fixes or impact.baseline is not None):  # what runs already cannot be fixed any more
        yield Detail("what to do", rule.remedy)
    if impact.carriers:
        yield Detail("not broken", f"{listed(impact.carriers)}, by which it is only carried along")
    if impact.is_known:
        yield Detail("known", "a baseline has it already")


def _cause(fault: Finding, finding: Finding) -> str:
    """Return what is at fault; what the message of the finding says already, by the words of its rule alone."""
    rule = RULEBOOK.get(fault.rule)
    if fault in finding.causes and rule is not None:
        return f"{rule.title} ({fault.rule})"
    return f"{fault.path}: {fault.message} ({fault.rule})"


def _faults(finding: Finding) -> Iterator[Finding]:
    for cause in finding.causes:
        yield from cause.leaves()
    if not finding.causes and (finding.fix is not None or finding.witness is not None):
        yield finding


def fingerprints(impacts: Iterable[Impact]) -> list[str]:
    """Return what each impact is recognised by in later reports: all different, and the same when only lines have moved."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for impact in impacts:
        seen[impact.key] += 1
        text = "\0".join((*impact.key, str(seen[impact.key])))
        found.append(sha256(text.encode(errors="surrogatepass")).hexdigest()[:32])
    return found


def summary(verdict: Verdict) -> str:
    """Return what was found, in one line."""
    counts = [counted(verdict.count(each), each.value) for each in Severity if verdict.count(each)]
    accepted = [f"{len(verdict.accepted):,} accepted"] if verdict.accepted else []
    found = ", ".join([*counts, *accepted]) or "nothing wrong"
    return f"{found}{f', compared with {listed(verdict.compared)}' if verdict.baselines else ''}"
