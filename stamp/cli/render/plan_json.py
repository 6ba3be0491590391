"""An order of deployment as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any, Final

from stamp.cli.order import Order
from stamp.ripple import Phase, Rollout

__all__ = ["VERSION", "render", "rollout"]

VERSION: Final = 1
"""The version of the form. Within one, keys come and none goes; no key changes its meaning."""


def render(order: Order) -> str:
    """Return a JSON object, in ASCII."""
    document = {
        "version": VERSION,
        "schemas": order.schemas.as_posix(),
        "baselines": list(order.baselines),
        "safe": order.is_safe,
        "errors": order.errors,
        "rollouts": [rollout(each) for each in order.rollouts],
    }
    return json.dumps(document, indent=2)


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
