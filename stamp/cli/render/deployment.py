"""In which order to deploy a change, for people."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.cli.render.paragraph import paragraph
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple import Phase, Rollout
from stamp.ripple.wording import listed

__all__ = ["deployment"]


def deployment(verdict: Verdict, *, width: int) -> Iterator[str]:
    """Yield lines about the ways from the baselines to the present; what is the same for several baselines once."""
    found: dict[tuple[object, ...], list[Rollout]] = {}
    for each in verdict.report.rollouts:
        found.setdefault((each.workflow, each.phases, each.obstacles, each.ways_out), []).append(each)
    are_many = len({each.workflow for each in verdict.report.rollouts}) > 1
    for first, *others in found.values():
        if are_many or len(found) > 1:
            baselines = listed(each.baseline for each in (first, *others))
            yield from paragraph("deploy", f"{first.workflow}, from {baselines}", width=width, bold=True)
            yield from _told(first, "", verdict, width)
        else:
            yield from _told(first, "deploy", verdict, width)


def _told(rollout: Rollout, label: str, verdict: Verdict, width: int) -> Iterator[str]:
    if rollout.is_safe:
        are_several = len(rollout.phases) > 1
        yield from paragraph(label, (_phase(phase, are_several) for phase in rollout.phases), width=width)
        return
    accepted = " (accepted)" if _is_accepted(rollout, verdict) else ""
    if rollout.is_end_broken:
        text = f"no order is safe as long as the new contracts are broken{accepted}"
        yield from paragraph(label, text, width=width)
    else:
        yield from paragraph(
            label, [f"no order is safe{accepted}:", *(f"- {each}" for each in rollout.obstacles)], width=width
        )
    yield from paragraph("way out", rollout.ways_out, width=width)


def _is_accepted(rollout: Rollout, verdict: Verdict) -> bool:
    """Tell whether every error of the workflow is accepted, those included that leave no order."""
    here = [each for each in verdict.report.impacts if each.workflow == rollout.workflow]
    errors = [each for each in here if each.finding.severity is Severity.ERROR]
    return any(each.accepted for each in here) and all(each.accepted for each in errors)


def _phase(phase: Phase, is_numbered: bool) -> str:  # noqa: FBT001
    steps = listed(f"{step} (removed)" if step in phase.removed else step for step in phase.steps)
    steps += " in any order" if len(phase.steps) > 1 else ""
    return f"{phase.number}  {steps}" if is_numbered else steps
