"""Findings shown by data and mended by fixes that were tried, and data behind the verdict that nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from stamp.compat import Finding, Severity, check, prove, with_fixes, with_witnesses
from stamp.ripple.pairs import Pair, Pairs
from stamp.ripple.report import Impact, Proof, Report

__all__ = ["explained", "proved"]


def explained(report: Report, *, is_over: Callable[[], bool] = lambda: False, all_: bool = False) -> Report:
    """Return a report whose errors (with `all_`: whose findings) about pairs of schemas have a witness, and a fix where there is one.

    It is tried in the order of the impacts, until `is_over` says that there is no time left.
    """
    tried = _Trials(report.pairs)
    impacts = []
    unshown = 0
    for impact in report.impacts:
        wanted = impact.pair is not None and impact.accepted is None and (all_ or _has_error(impact))
        if wanted and is_over():
            unshown += 1
            wanted = False
        impacts.append(tried.explained(impact) if wanted else impact)
    return replace(report, impacts=tuple(impacts), proof=Proof(unshown=unshown))


def proved(report: Report, *, told: Callable[[int, int], None] = lambda done, of: None) -> Report:
    """Return a report that tells how many data were decoded for the pairs without an error; each choice a schema has is in one.

    `told` hears how many pairs are done, of how many.

    Raises:
        AssertionError: a datum was not read: the verdict was wrong.
    """
    pairs = report.pairs.clean()
    data = 0
    for number, pair in enumerate(pairs):
        told(number, len(pairs))
        data += prove(report.pairs.source(pair.reader), report.pairs.source(pair.writer), as_view=pair.is_view)
    told(len(pairs), len(pairs))
    return replace(report, proof=replace(report.proof or Proof(), pairs=len(pairs), data=data))


def _has_error(impact: Impact) -> bool:
    return any(cause.severity is Severity.ERROR for cause in impact.finding.causes)


class _Trials:
    """Tries out witnesses and fixes, those of one pair once."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._tried: dict[Pair, dict[Finding, Finding]] = {}

    def explained(self, impact: Impact) -> Impact:
        assert impact.pair is not None
        if impact.pair not in self._tried:
            self._tried[impact.pair] = dict(self._of(impact.pair))
        tried = self._tried[impact.pair]
        causes = tuple(tried.get(cause, cause) for cause in impact.finding.causes)
        return replace(impact, finding=replace(impact.finding, causes=causes))

    def _of(self, pair: Pair) -> Iterator[tuple[Finding, Finding]]:
        reader, writer = self._pairs.source(pair.reader), self._pairs.source(pair.writer)
        found: Sequence[Finding] = check(reader, writer, as_view=pair.is_view)
        others = [self._pairs.source(each) for each in pair.versions]
        fixed = with_fixes(found, reader, writer, as_view=pair.is_view, versions=others) if pair.is_open else found
        yield from zip(found, with_witnesses(fixed, reader, writer, as_view=pair.is_view), strict=True)
