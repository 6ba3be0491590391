"""Findings shown by data and mended by fixes that were tried, and data behind the verdict that nothing is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from stamp.compat import Finding, Fixes, Severity, Witnesses, check, prove
from stamp.ripple.pairs import Pair, Pairs
from stamp.ripple.report import Impact, Proof, Report

__all__ = ["explained", "proved"]

IsOver = Callable[[], bool]


def explained(report: Report, *, is_over: IsOver = lambda: False, all_: bool = False) -> Report:
    """Return a report whose errors (with `all_`: whose findings) about pairs of schemas have a witness, and a fix where there is one.

    It is tried in the order of the impacts, until `is_over` says that there is no time left; that is asked before each trial. The report
    tells how many were left.
    """
    trials = _Trials(report.pairs, is_over)
    wanted = (impact.accepted is None and (all_ or _has_error(impact)) for impact in report.impacts)
    impacts = [
        trials.explained(impact) if each else impact for impact, each in zip(report.impacts, wanted, strict=True)
    ]
    return replace(report, impacts=tuple(impacts), proof=trials.proof())


def proved(
    report: Report, *, told: Callable[[int, int], None] = lambda done, of: None, is_over: IsOver = lambda: False
) -> Report:
    """Return a report that tells how many data were decoded for the pairs without an error; each choice a schema has is in one.

    `told` hears how many pairs are done, of how many. Pairs that are left when `is_over` says that there is no time are counted.

    Raises:
        AssertionError: a datum was not read: the verdict was wrong.
    """
    pairs = report.pairs.clean()
    data = done = 0
    for pair in pairs:
        if is_over():
            break
        told(done, len(pairs))
        data += prove(report.pairs.source(pair.reader), report.pairs.source(pair.writer), as_view=pair.is_view)
        done += 1
    told(len(pairs), len(pairs))
    proof = replace(report.proof or Proof(), pairs=done, data=data, unproved=len(pairs) - done)
    return replace(report, proof=proof)


def _has_error(impact: Impact) -> bool:
    return any(cause.severity is Severity.ERROR for cause in impact.finding.causes)


class _Trials:
    """Tries out witnesses and fixes: the schemas of one pair are prepared once, and each of its findings is tried once."""

    def __init__(self, pairs: Pairs, is_over: IsOver) -> None:
        self._pairs = pairs
        self._is_over = is_over
        self._of: dict[Pair, _Trial] = {}
        self._late: defaultdict[Pair, set[Finding]] = defaultdict(set)

    def proof(self) -> Proof:
        """Return how many findings have been left, each of them counted once for a pair, as it is tried."""
        over_limit = sum(each.fixes.over_limit for each in self._of.values())
        unshown = sum(map(len, self._late.values())) + sum(each.witnesses.untried for each in self._of.values())
        late = sum(len(found) for pair, found in self._late.items() if pair.is_open)
        untried = late + over_limit + sum(each.fixes.late for each in self._of.values())
        return Proof(unshown=unshown, untried=untried, over_limit=over_limit)

    def explained(self, impact: Impact) -> Impact:
        if impact.pair is None:
            return impact
        if impact.pair not in self._of and self._is_over():
            self._late[impact.pair].update(impact.finding.causes)
            return impact
        if impact.pair not in self._of:
            self._of[impact.pair] = _Trial(self._pairs, impact.pair, self._is_over)
        trial = self._of[impact.pair]
        causes = tuple(map(trial.tried, impact.finding.causes))
        return replace(impact, finding=replace(impact.finding, causes=causes))


class _Trial:
    """One pair, and what has been tried of it."""

    def __init__(self, pairs: Pairs, pair: Pair, is_over: IsOver) -> None:
        reader, writer = pairs.source(pair.reader), pairs.source(pair.writer)
        found = check(reader, writer, as_view=pair.is_view)
        versions = [pairs.source(each) for each in pair.versions]
        self.fixes = Fixes(found, reader, writer, as_view=pair.is_view, versions=versions, is_over=is_over)
        self.witnesses = Witnesses(reader, writer, as_view=pair.is_view, is_over=is_over)
        self._is_open = pair.is_open
        self._found = frozenset(found)
        self._tried: dict[Finding, Finding] = {}

    def tried(self, finding: Finding) -> Finding:
        """Return what was found with what shows it and mends it; of what the schemas alone do not say, nothing is tried."""
        if finding not in self._found:
            return finding
        if finding not in self._tried:
            fixed = self.fixes.added_to(finding) if self._is_open else finding
            self._tried[finding] = self.witnesses.added_to(fixed)
        return self._tried[finding]
