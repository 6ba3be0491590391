"""A verdict as a JUnit report: a test case for each impact, and one for each step of which there is nothing to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from stamp.cli.render.impact import details, ordered, title
from stamp.cli.render.location import Location, location
from stamp.cli.render.visible import visible
from stamp.cli.verdict import Verdict
from stamp.ripple import Impact

__all__ = ["render"]


def render(verdict: Verdict) -> str:
    """Return an XML document. An impact fails its case from the severity on that fails the check; what is accepted is skipped."""
    suites = [_suite(workflow, verdict) for workflow in _workflows(verdict)]
    root = ET.Element("testsuites", {"name": "stamp check", **_totals(suites)})
    root.extend(suites)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return document.decode()


COUNTED: Final = ("tests", "failures", "errors", "skipped")


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in COUNTED} | {"time": "0"}


def _workflows(verdict: Verdict) -> list[str]:
    return sorted({*verdict.report.graph, *(impact.workflow for impact in verdict.report.impacts)})


def _suite(workflow: str, verdict: Verdict) -> ET.Element:
    cases = list(_cases(workflow, verdict))
    failures, skipped = (sum(case.find(tag) is not None for case in cases) for tag in ("failure", "skipped"))
    numbers = zip(COUNTED, map(str, (len(cases), failures, 0, skipped)), strict=True)
    suite = ET.Element("testsuite", {"name": _text(workflow or "settings"), **dict(numbers), "time": "0"})
    suite.extend(cases)
    return suite


class _Case(NamedTuple):
    name: str
    step: str
    place: Location | None = None


def _cases(workflow: str, verdict: Verdict) -> Iterator[ET.Element]:
    impacts = [impact for impact in ordered(verdict.report.impacts) if impact.workflow == workflow]
    for impact in impacts:
        yield _of_impact(impact, verdict)
    graph = verdict.report.graph.get(workflow)
    told = {step for impact in impacts for step in (impact.consumer, impact.producer)}
    for step in dict.fromkeys(party.step for party in graph.parties) if graph is not None else ():
        if step not in told:
            yield _element(workflow, _Case("contracts are in order", step))


def _of_impact(impact: Impact, verdict: Verdict) -> ET.Element:
    finding = impact.finding
    step = impact.consumer or impact.producer or ""
    element = _element(impact.workflow, _Case(f"{finding.path} ({finding.rule})", step, location(impact, verdict)))
    text = "\n".join(_text(line) for line in _lines(impact))
    if impact.accepted is not None:
        ET.SubElement(element, "skipped", {"message": _text(f"accepted: {impact.accepted.reason}")})
    elif finding.severity.rank <= verdict.fail_on.rank:
        said = {"type": finding.rule, "message": _text(finding.message)}
        ET.SubElement(element, "failure", said).text = text
    else:
        ET.SubElement(element, "system-out").text = f"{finding.severity}: {text}"
    return element


def _lines(impact: Impact) -> Iterator[str]:
    yield f"{title(impact)}."
    yield impact.finding.message
    yield from (f"{each.label}: {each.text}" for each in details(impact))


def _element(workflow: str, case: _Case) -> ET.Element:
    place = {} if case.place is None else {"file": _text(case.place.file)}
    if case.place is not None and case.place.line is not None:
        place["line"] = str(case.place.line)
    classname = ".".join(filter(None, ("stamp", workflow, case.step)))
    return ET.Element("testcase", {"classname": _text(classname), "name": _text(case.name), "time": "0", **place})


_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold (XML 1.0, "Char")."""


def _text(text: str) -> str:
    return _ILLEGAL.sub(lambda found: ascii(found[0])[1:-1], visible(text))
