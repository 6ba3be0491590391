"""An order of deployment in Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from stamp.cli.order import Order
from stamp.cli.render.markdown import code, text
from stamp.cli.render.quantity import counted
from stamp.ripple import Phase, Rollout
from stamp.ripple.wording import listed

__all__ = ["render", "rollout"]


def render(order: Order) -> str:
    """Return a section for each workflow that has changed."""
    parts = ["### stamp plan", *(rollout(each) for each in order.rollouts)]
    if not order.rollouts:
        parts.append(f"Nothing to deploy: no service does anything else than in {text(listed(order.baselines))}.")
    if order.errors:
        parts.append(f"`stamp check` finds {counted(order.errors, 'error')}, which no order of deployment mends.")
    return "\n\n".join(parts)


def rollout(each: Rollout) -> str:
    """Return the way from one baseline to the present contracts of a workflow, below a heading."""
    since = f"{text(each.workflow)}, from {text(each.baseline)}"
    if not each.is_safe:
        obstacles = _list(each.obstacles)
        ways_out = f"\n\nA way out:\n\n{_list(each.ways_out)}" if each.ways_out else ""
        return f"#### No order of deployment is safe ({since})\n\n{obstacles}{ways_out}"
    phases = "\n".join(map(_phase, each.phases))
    return f"#### Order of deployment ({since})\n\n{phases}"


def _phase(phase: Phase) -> str:
    steps = ", ".join(code(step) + (" (removed)" if step in phase.removed else "") for step in phase.steps)
    reasons = "".join(f"\n   - {text(reason)}" for reason in phase.reasons)
    return f"{phase.number}. {steps}{reasons}"


def _list(things: Iterable[str]) -> str:
    return "\n".join(f"- {text(thing)}" for thing in things)
