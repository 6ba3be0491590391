"""In which order the services of a change can be deployed, while the old and the new version of each run side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final, TypedDict

from stamp.ripple.contracts import Contracts
from stamp.ripple.handover import handovers
from stamp.ripple.hazard import Hazard, Kind, explain
from stamp.ripple.order import order
from stamp.ripple.report import Phase, Rollout
from stamp.ripple.study import Study
from stamp.ripple.transition import Transition
from stamp.ripple.way_out import Trial, ways_out

__all__ = ["plan"]

MAX_TOLD: Final = 5
"""How many reasons are told of one phase or of none."""


def plan(study: Study, baseline: Contracts, workflow: str, *, is_good: Trial | None = None) -> Rollout | None:
    """Return how to get from a baseline to the present contracts of a workflow; None when there is nothing to deploy.

    With `is_good` a way out is looked for, and tried, where no order is safe.
    """
    transition = Transition(study, baseline, workflow)
    if not transition.changed:
        return None
    here = _Here(workflow=workflow, baseline=baseline.name)
    if unsolvable := transition.hazards_after(transition.changed) - transition.known:
        broken = any(each.kind is not Kind.UNREADABLE or each.written in transition.written for each in unsolvable)
        return Rollout(**here, **_no_order(transition, unsolvable, is_good, is_end_broken=broken))
    phases, impasses, is_given_up = order(transition)
    if impasses:
        hazards = {each for done, left in impasses for step in left for each in transition.in_the_way(done, [step])}
        found = _no_order(transition, hazards, is_good)
        if is_given_up:
            found["obstacles"] = (GIVEN_UP.format(transition.stages), *found["obstacles"])
        return Rollout(**here, **found)
    told = tuple(_told(transition, phases))
    return Rollout(**here, phases=told, handovers=tuple(handovers(transition, told)))


GIVEN_UP: Final = "none was found among the {:,} stages that were looked at, and there is no time for more: deploy fewer changes at once"
"""What is told where the search was given up: nobody may take that for safe."""


class _Here(TypedDict):
    workflow: str
    baseline: str


class _Told(TypedDict):
    obstacles: tuple[str, ...]
    ways_out: tuple[str, ...]
    is_end_broken: bool


def _no_order(
    transition: Transition, hazards: Iterable[Hazard], is_good: Trial | None, *, is_end_broken: bool = False
) -> _Told:
    found = sorted(hazards, key=_rank)
    tried = () if is_good is None else ways_out(transition, found, is_good, is_end_broken=is_end_broken)
    return {
        "obstacles": tuple(dict.fromkeys(map(explain, found)))[:MAX_TOLD],
        "ways_out": tried,
        "is_end_broken": is_end_broken,
    }


def _rank(hazard: Hazard) -> tuple[object, ...]:
    return list(Kind).index(hazard.kind), hazard.step, hazard.cause, hazard.is_new, hazard.version


def _told(transition: Transition, phases: Iterable[tuple[str, ...]]) -> Iterator[Phase]:
    done: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    for number, steps in enumerate(phases, start=1):
        reasons: dict[str, None] = {}
        if number > 1:
            hazards = frozenset(each for step in steps for each in transition.in_the_way(before, [step]))
            hazards = hazards or transition.in_the_way(before, [*(done - before), *steps])
            found = sorted(hazards | _published_to(transition, steps, done - before), key=_rank)
            reasons = dict.fromkeys(map(explain, found))
        removed = tuple(step for step in steps if step not in transition.new)
        yield Phase(
            number=number,
            workflow=transition.workflow,
            steps=steps,
            removed=removed,
            reasons=tuple(reasons)[:MAX_TOLD],
        )
        before, done = done, done | set(steps)


def _published_to(transition: Transition, steps: Iterable[str], gone: Collection[str]) -> frozenset[Hazard]:
    """Return what would have been published to nobody, had removed steps gone together with those that publish to them."""
    publishers = transition.departures.publishers
    return frozenset(
        Hazard(Kind.UNATTENDED, publisher, is_new=False, cause=event)
        for step in steps
        for publisher, events in publishers.get(step, {}).items()
        for event in events
        if publisher in gone
    )
