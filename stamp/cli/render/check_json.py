"""A verdict as JSON, for programs: all that there is. `stamp/cli/check.schema.json` describes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from stamp.cli.render.location import located
from stamp.cli.render.plan_json import rollout
from stamp.cli.verdict import Verdict
from stamp.compat import Finding, Fix, Fragment, Witness
from stamp.ripple import Acceptance, Impact, Proof

__all__ = ["VERSION", "render"]

VERSION: Final = 1
"""The version of the form. Within one, keys come and none goes; no key changes its meaning."""


def render(verdict: Verdict) -> str:
    """Return a JSON object, in ASCII."""
    return json.dumps(_document(verdict), indent=2)


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        "version": VERSION,
        "schemas": verdict.schemas.as_posix(),
        "baselines": list(verdict.baselines),
        "fail_on": verdict.fail_on.value,
        "failed": verdict.is_failed,
        "summary": verdict.summary,
        "proof": _proof(verdict.report.proof),
        "impacts": [_impact(impact, verdict) for impact in verdict.report.impacts],
        "rollouts": [rollout(each) for each in verdict.report.rollouts],
    }


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    return None if proof is None else asdict(proof)


def _impact(impact: Impact, verdict: Verdict) -> dict[str, Any]:
    return _finding(impact.finding, verdict) | {
        "workflow": impact.workflow,
        "consumer": impact.consumer,
        "producer": impact.producer,
        "versions": list(impact.versions),
        "routes": [list(route) for route in impact.routes],
        "carriers": list(impact.carriers),
        "baseline": impact.baseline,
        "known": impact.is_known,
        "accepted": _acceptance(impact.accepted),
    }


def _finding(finding: Finding, verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.path,
        "pointer": finding.pointer,
        "message": finding.message,
        "reader": _fragment(finding.reader, verdict),
        "writer": _fragment(finding.writer, verdict),
        "causes": [_finding(cause, verdict) for cause in finding.causes],
        "witness": _witness(finding.witness),
        "fix": _fix(finding.fix),
    }


def _fragment(fragment: Fragment | None, verdict: Verdict) -> dict[str, Any] | None:
    if fragment is None:
        return None
    place = located(fragment, verdict)
    return {
        "text": fragment.text,
        "pointer": fragment.pointer,
        "file": fragment.file if place is None else place.file,
        "line": fragment.line,
        "column": fragment.column,
    }


def _witness(witness: Witness | None) -> dict[str, Any] | None:
    return None if witness is None else {"datum": witness.datum, "data": witness.data.hex(), "outcome": witness.outcome}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    return None if fix is None else {"side": fix.side, "text": fix.text, "schema": fix.schema}


def _acceptance(entry: Acceptance | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    until = None if entry.until is None else entry.until.isoformat()
    return {"reason": entry.reason, "until": until, "file": entry.file, "line": entry.line}
