"""A verdict as a Code Quality report of GitLab, which becomes a part of a merge request."""

from __future__ import annotations

import json
from typing import Any, Final

from stamp.cli.render.impact import fingerprints, ordered
from stamp.cli.render.location import Location, location
from stamp.cli.render.visible import visible
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Impact

__all__ = ["render"]

SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(verdict: Verdict) -> str:
    """Return a JSON list of the impacts that nobody has accepted. Each has a location, for GitLab ignores what has none."""
    impacts = ordered(verdict.impacts)
    entries = [_entry(*each, verdict) for each in zip(impacts, fingerprints(impacts), strict=True)]
    return json.dumps(entries, indent=2)


def _entry(impact: Impact, fingerprint: str, verdict: Verdict) -> dict[str, Any]:
    place = location(impact, verdict) or Location(verdict.checkout.name(verdict.schemas) or verdict.schemas.as_posix())
    return {
        "description": visible(impact.finding.message),
        "check_name": impact.finding.rule,
        "fingerprint": fingerprint,
        "severity": SEVERITIES[impact.finding.severity],
        "location": {"path": place.file, "lines": {"begin": place.line or 1}},
    }
