"""An order of deployment as JSON, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from stamp.cli.render.accepted import changed
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Impact, Phase, Rollout
from stamp.ripple.rules import no_safe_order

__all__ = ["VERSION", "render", "rollout"]

VERSION: Final = 1
"""The version of the form. Within one, keys come and none goes; no key changes its meaning."""


def render(verdict: Verdict) -> str:
    """Return a JSON object, in ASCII."""
    rollouts = verdict.report.rollouts
    document = {
        "version": VERSION,
        "schemas": verdict.schemas.as_posix(),
        "baselines": list(verdict.baselines),
        "safe": all(each.is_safe for each in rollouts),
        "errors": sum(each.finding.severity is Severity.ERROR and not _is_order(each) for each in verdict.impacts),
        "failed": verdict.is_failed,
        "summary": verdict.summary,
        "accepted": [_accepted(each) for each in verdict.accepted],
        "acceptance_changed": [_finding(each) for each in changed(verdict)],
        "rollouts": [rollout(each) | {"handovers": list(map(asdict, each.handovers))} for each in rollouts],
    }
    return json.dumps(document, indent=2)


def _accepted(impact: Impact) -> dict[str, Any]:
    entry = impact.accepted
    assert entry is not None
    return _finding(impact) | {
        "reason": entry.reason,
        "until": None if entry.until is None else entry.until.isoformat(),
    }


def _finding(impact: Impact) -> dict[str, Any]:
    finding = impact.finding
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "workflow": impact.workflow,
        "path": finding.path,
        "message": finding.message,
    }


def _is_order(impact: Impact) -> bool:
    return impact.finding.rule == no_safe_order.RULE.id


def rollout(each: Rollout) -> dict[str, Any]:
    """Return the way from one baseline to the present contracts of a workflow."""
    return {
        "workflow": each.workflow,
        "baseline": each.baseline,
        "safe": each.is_safe,
        "phases": [_phase(phase) for phase in each.phases],
        "obstacles": list(each.obstacles),
        "ways_out": list(each.ways_out),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "number": phase.number,
        "steps": list(phase.steps),
        "removed": list(phase.removed),
        "reasons": list(phase.reasons),
    }
