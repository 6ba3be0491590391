"""A verdict in SARIF 2.1.0, the Static Analysis Results Interchange Format (OASIS, errata 01)."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

import stamp
from stamp.cli.render.impact import details, fingerprints, ordered, title
from stamp.cli.render.location import Location, located, location, other_side
from stamp.cli.rulebook import RULEBOOK, Rule, kind
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Acceptance, Impact

__all__ = ["render"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT: Final = "%SRCROOT%"
BRACES: Final = str.maketrans({"{": "{{", "}": "}}"})
"""In messages of SARIF a single brace begins a placeholder (3.11.5)."""


def render(verdict: Verdict) -> str:
    """Return a log with one run: all rules, and a result for each impact. What is accepted is there as suppressed."""
    impacts = ordered(verdict.report.impacts)
    ids = list(dict.fromkeys([*RULEBOOK, *(impact.finding.rule for impact in impacts)]))
    results = [
        {
            "ruleIndex": ids.index(impact.finding.rule),
            **_result(impact, verdict),
            "partialFingerprints": {"stamp/v1": print_},
        }
        for impact, print_ in zip(impacts, fingerprints(impacts), strict=True)
    ]
    run = {
        "tool": {
            "driver": {"name": "stamp", "semanticVersion": stamp.__version__, "rules": list(map(_descriptor, ids))}
        },
        "originalUriBaseIds": {
            ROOT: {"description": {"text": "The top of the repository, or the folder of the check."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"baselines": list(verdict.baselines), "failed": verdict.is_failed},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _descriptor(id_: str) -> dict[str, Any]:
    rule = RULEBOOK.get(id_)
    return {"id": id_} if rule is None else {"id": id_, **_words(rule)}


def _words(rule: Rule) -> dict[str, Any]:
    return {
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": _text(rule.title),
        "fullDescription": _text(rule.why),
        "help": {
            **_text(f"{rule.why}\n\nWhat to do: {rule.remedy}"),
            "markdown": f"{rule.why}\n\n**What to do:** {rule.remedy}\n\n`stamp explain {rule.id}` shows an example.",
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [kind(rule), "contracts"]},
    }


def _text(text: str) -> dict[str, str]:
    return {"text": text.translate(BRACES)}


def _result(impact: Impact, verdict: Verdict) -> dict[str, Any]:
    place = location(impact, verdict)
    return {
        "ruleId": impact.finding.rule,
        "level": LEVELS[impact.finding.severity],
        "message": _text(_message(impact)),
        "locations": [{**_physical(place), "logicalLocations": [_logical(impact)]}],
        "relatedLocations": _related(impact, verdict),
        **({"suppressions": _suppressions(impact, verdict)} if verdict.accepted else {}),
        "properties": _properties(impact),
    }


IN_PROPERTIES: Final = frozenset({"example", "outcome", "not broken", "known"})
"""Details that are properties here."""


def _message(impact: Impact) -> str:
    told = [each for each in details(impact) if each.label not in IN_PROPERTIES]
    return "\n".join([f"{title(impact)}: {impact.finding.message}", *(f"{each.label}: {each.text}" for each in told)])


def _properties(impact: Impact) -> dict[str, Any]:
    told = {each.label: each.text for each in details(impact)}
    said = {
        "workflow": impact.workflow,
        "path": impact.finding.path,
        "consumer": impact.consumer,
        "producer": impact.producer,
        "versions": list(impact.versions),
        "routes": [list(route) for route in impact.routes],
        "carriers": list(impact.carriers),
        "baseline": impact.baseline,
        "known": impact.is_known,
        "example": told.get("example"),
        "outcome": told.get("outcome"),
    }
    return {name: value for name, value in said.items() if value not in (None, [], "")}


def _physical(place: Location | None) -> dict[str, Any]:
    if place is None:
        return {}
    is_inside = not PurePosixPath(place.file).is_absolute()
    path = quote(place.file, errors="surrogateescape")  # the bytes of a name that is no text
    uri = path if is_inside else f"file://{path}"
    artifact = {"uri": uri, "uriBaseId": ROOT} if is_inside else {"uri": uri}
    region = {name: value for name, value in (("startLine", place.line), ("startColumn", place.column)) if value}
    return {"physicalLocation": {"artifactLocation": artifact, **({"region": region} if region else {})}}


def _logical(impact: Impact) -> dict[str, str]:
    return {"fullyQualifiedName": ".".join(filter(None, (impact.workflow, impact.finding.path))), "kind": "member"}


def _related(impact: Impact, verdict: Verdict) -> list[dict[str, Any]]:
    shown = location(impact, verdict)
    places = {other_side(impact, verdict): f"as {impact.producer} writes it"}
    for cause in impact.finding.causes:
        for leaf in cause.leaves():
            places.setdefault(located(leaf.reader, verdict), f"at fault: {leaf.path}")
            places.setdefault(located(leaf.writer, verdict), f"at fault: {leaf.path}, as it is written")
    found = [(place, text) for place, text in places.items() if place is not None and place != shown]
    return [{"id": number, "message": _text(text), **_physical(place)} for number, (place, text) in enumerate(found, 1)]


def _suppressions(impact: Impact, verdict: Verdict) -> list[dict[str, Any]]:
    """Return who has accepted an impact. All results have this list, or none has it (3.27.23)."""
    return [] if impact.accepted is None else [_suppression(impact.accepted, verdict)]


def _suppression(accepted: Acceptance, verdict: Verdict) -> dict[str, Any]:
    until = f" (until {accepted.until})" if accepted.until is not None else ""
    place = _entry(accepted, verdict)
    return {
        "kind": "external",
        "status": "accepted",
        "justification": f"{accepted.reason}{until}",
        **({"location": _physical(place)} if place is not None else {}),
    }


def _entry(accepted: Acceptance, verdict: Verdict) -> Location | None:
    if accepted.file is None:
        return None
    return Location(verdict.checkout.name(accepted.file) or accepted.file, accepted.line)
