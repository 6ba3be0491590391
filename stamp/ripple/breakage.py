"""From meetings of views and versions to what is said of them: who breaks, at which field, through which events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from stamp.compat import Finding, Severity
from stamp.ripple.graph import Graph
from stamp.ripple.meetings import Meeting, Moment, meetings
from stamp.ripple.pairs import Pair
from stamp.ripple.rule import Issue
from stamp.ripple.study import Study
from stamp.ripple.wording import listed, route
from stamp.schema.jsonfile import JsonFile

__all__ = ["breakages"]


class _Same(NamedTuple):
    """Meetings of one view with several versions, of which the same is to be said: the `findings` about the last one, all at one place."""

    meetings: list[Meeting]
    findings: list[Finding]


_Carriers = dict[tuple[str, frozenset[str], str, JsonFile], Sequence[str]]
"""The steps that only carry a field along, by who writes it, in which records, and in which version."""


def breakages(study: Study, moment: Moment) -> Iterator[Issue]:
    """Yield what speaks against each meeting at a moment; the same said of several versions once."""
    for workflow in study.workflows:
        met = [each for each in meetings(study, workflow) if each.moment is moment]
        known: _Carriers = {}
        for same in _grouped(study, met):
            yield _issue(study, same, known)


def _grouped(study: Study, met: Iterable[Meeting]) -> Iterable[_Same]:
    found: dict[tuple[str, ...], _Same] = {}
    for each in met:
        for finding in study.pairs.findings(each.view, each.version.file):
            key = each.state.name, each.reader.step, each.version.step, finding.rule, finding.path, str(each.certain)
            same = found.setdefault(key, _Same([], []))
            if each not in same.meetings:
                same.meetings.append(each)
                same.findings.clear()
            same.findings.append(finding)
    return found.values()


def _issue(study: Study, same: _Same, known: _Carriers) -> Issue:
    first = same.meetings[-1]
    finding = same.findings[0]
    workflow, reader, producer = first.workflow, first.reader, first.version.step
    records = {each.version.written.name for each in same.meetings}
    graph = study.graph(study.now, workflow) if first.moment is Moment.NOW else study.mixed(workflow)
    ways = graph.routes(producer, records, reader)
    path = ".".join(filter(None, (producer, finding.path)))
    versions = tuple(dict.fromkeys(str(each.version) for each in same.meetings))
    arrives = f"; it arrives through {route(ways[0])}" if ways else ""
    return Issue(
        workflow=workflow,
        path=path,
        message=f"{_who(first)} {_what(finding, path, first, versions)}: {finding.message}{arrives}",
        severity=_severity(study, first, finding),
        place=finding.reader,
        other=finding.writer,
        causes=tuple(same.findings),
        consumer=reader.step,
        producer=producer,
        versions=versions,
        routes=tuple(ways),
        carriers=tuple(step for step in _carriers(study, graph, same, known) if step != reader.step),
        baseline=first.state.name if first.moment is Moment.NEW_DATA else None,
        pair=Pair(
            first.view,
            first.version.file,
            is_open=first.moment is not Moment.NEW_DATA,
            versions=study.files_of(workflow, first.version),
        ),
    )


def _who(meeting: Meeting) -> str:
    return f"{meeting.reader.step} as it runs now" if meeting.moment is Moment.NEW_DATA else meeting.reader.step


_DATA: Final = {
    Moment.NOW: "as {0} writes it ({1})",
    Moment.NEW_DATA: "as {0} will write it ({1})",
    Moment.OLD_DATA: "in data of {1} that may wait in queues or stores",
}


_VERBS: Final = {Severity.ERROR: "cannot read", Severity.WARNING: "may misread", Severity.INFO: "reads"}


def _what(finding: Finding, path: str, meeting: Meeting, versions: Sequence[str]) -> str:
    data = _DATA[meeting.moment].format(meeting.version.step, listed(versions))
    return f"{_VERBS[finding.severity]} {path} {data}"


def _severity(study: Study, meeting: Meeting, finding: Finding) -> Severity:
    """Return how much it matters.

    An old view that cannot read new data is no error where an order of deployment lets them never meet; nor is one that
    meets data which may never come to it.
    """
    if finding.severity is not Severity.ERROR:
        return finding.severity
    if not meeting.certain:
        return Severity.WARNING
    if meeting.moment is Moment.NEW_DATA:
        here = meeting.workflow, meeting.state.name
        if all(each.is_safe for each in study.rollouts if (each.workflow, each.baseline) == here):
            return Severity.WARNING
    return Severity.ERROR


def _carriers(study: Study, graph: Graph, same: _Same, known: _Carriers) -> Sequence[str]:
    """Return the steps that get the contribution without reading the field in question; they are the same for all readers."""
    first = same.meetings[-1]
    producer, field = first.version.step, same.findings[0].path.partition(".")[0].partition("[")[0].partition("{")[0]
    records = frozenset(each.version.written.name for each in same.meetings)
    key = producer, records, field, first.version.file
    if key not in known:
        reached = graph.carriers(producer, records)
        known[key] = [step for step in reached if not _reads(study, first, step, field)]
    return known[key]


def _reads(study: Study, meeting: Meeting, step: str, field: str) -> bool:
    producer = meeting.version.step
    for state in study.states:
        party = state.steps.get((meeting.workflow, step))
        if party is not None and producer in party.reads:
            view = state.view(meeting.workflow, step, producer)
            named = {each.name for each in study.pairs.source(view).root.fields}
            if not field or field in named or field in study.pairs.fields(view, meeting.version.file):
                return True
    return False
