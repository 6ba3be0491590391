"""An order of deployment in Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from stamp.cli.render.accepted import changed
from stamp.cli.render.errors import errors
from stamp.cli.render.markdown import code, text
from stamp.cli.verdict import Verdict
from stamp.ripple import Handover, Impact, Phase, Rollout
from stamp.ripple.wording import listed

__all__ = ["accepted", "render", "rollout", "who"]


def render(verdict: Verdict) -> str:
    """Return a section for each workflow that has changed."""
    parts = ["### stamp plan", *(rollout(each) for each in verdict.report.rollouts)]
    if not verdict.report.rollouts:
        parts.append(f"Nothing to deploy: no service does anything else than in {text(listed(verdict.compared))}.")
    if verdict.accepted:
        parts.append(f"#### Accepted\n\n{accepted(verdict.accepted)}")
    if found := changed(verdict):
        parts.append(
            "\n".join(
                f"- {each.finding.severity}: {text(each.finding.message)} [{each.finding.rule}]" for each in found
            )
        )
    if sentence := errors(verdict):
        parts.append(sentence)
    return "\n\n".join(parts)


def rollout(each: Rollout) -> str:
    """Return the way from one baseline to the present contracts of a workflow, below a heading."""
    since = f"{text(each.workflow)}, from {text(each.baseline)}"
    if not each.is_safe:
        obstacles = _list(each.obstacles)
        ways_out = f"\n\nA way out:\n\n{_list(each.ways_out)}" if each.ways_out else ""
        return f"#### No order of deployment is safe ({since})\n\n{obstacles}{ways_out}"
    phases = "\n".join(_phase(phase, each.handovers) for phase in each.phases)
    return f"#### Order of deployment ({since})\n\n{phases}"


def accepted(impacts: Iterable[Impact]) -> str:
    """Return a list of what somebody has accepted, and why."""
    return "\n".join(map(_acceptance, impacts))


def _acceptance(impact: Impact) -> str:
    assert impact.accepted is not None
    until = f", until {impact.accepted.until}" if impact.accepted.until is not None else ""
    return f"- {who(impact)}, {code(impact.finding.path)}, {impact.finding.rule}: {text(impact.accepted.reason)}{until}"


def who(impact: Impact) -> str:
    """Return the step that an impact is about."""
    return code(impact.consumer or impact.producer or impact.workflow)


def _phase(phase: Phase, handovers: Iterable[Handover]) -> str:
    steps = ", ".join(code(step) + (" (removed)" if step in phase.removed else "") for step in phase.steps)
    reasons = "".join(f"\n   - {text(reason)}" for reason in phase.reasons)
    given = "".join(f"\n   - before it: {_given(each)}" for each in handovers if each.phase == phase.number)
    return f"{phase.number}. {steps}{reasons}{given}"


def _given(each: Handover) -> str:
    versions, readers = (listed(map(code, names)) for names in (each.versions, each.to))
    return f"give {versions} of {code(each.step)} to {readers} by hand, for nothing tells these services"


def _list(things: Iterable[str]) -> str:
    return "\n".join(f"- {text(thing)}" for thing in things)
