"""In which order the services of a change can be deployed, while the old and the new version of each run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypedDict

from stamp.ripple.contracts import Contracts
from stamp.ripple.handover import handovers
from stamp.ripple.hazard import Hazard, Kind, explain, way_out
from stamp.ripple.order import order
from stamp.ripple.report import Phase, Rollout
from stamp.ripple.study import Study
from stamp.ripple.transition import Transition
from stamp.ripple.wording import listed

__all__ = ["plan"]

MAX_TOLD: Final = 5
"""How many reasons are told of one phase or of none."""


def plan(study: Study, baseline: Contracts, workflow: str) -> Rollout | None:
    """Return how to get from a baseline to the present contracts of a workflow; None when there is nothing to deploy."""
    transition = Transition(study, baseline, workflow)
    if not transition.changed:
        return None
    here = _Here(workflow=workflow, baseline=baseline.name)
    if unsolvable := transition.hazards_after(transition.changed) - transition.known:
        broken = any(each.kind is not Kind.UNREADABLE or each.written in transition.written for each in unsolvable)
        return Rollout(**here, **_no_order(unsolvable, is_end_broken=broken))
    phases, impasses = order(transition)
    if impasses:
        hazards = {each for done, left in impasses for step in left for each in transition.in_the_way(done, [step])}
        return Rollout(**here, **_no_order(hazards))
    told = tuple(_told(transition, phases))
    return Rollout(**here, phases=told, handovers=tuple(handovers(transition, told)))


class _Here(TypedDict):
    workflow: str
    baseline: str


class _Told(TypedDict):
    obstacles: tuple[str, ...]
    ways_out: tuple[str, ...]
    is_end_broken: bool


def _no_order(hazards: Iterable[Hazard], *, is_end_broken: bool = False) -> _Told:
    found = sorted(hazards, key=_rank)
    kinds = {each.kind for each in found}
    consequences = {Kind.STARVED} if Kind.UNHEARD in kinds else set()
    mended = {Kind.UNREADABLE} if is_end_broken else kinds - consequences
    mendable = {each.subject: each for each in reversed(found) if each.kind in mended}
    obstacles, ways_out = (
        dict.fromkeys(map(explain, found)),
        dict.fromkeys(map(way_out, _merged(reversed(mendable.values())))),
    )
    return {
        "obstacles": tuple(obstacles)[:MAX_TOLD],
        "ways_out": tuple(ways_out)[:MAX_TOLD],
        "is_end_broken": is_end_broken,
    }


def _merged(hazards: Iterable[Hazard]) -> Iterator[Hazard]:
    """Yield hazards; those of several steps that cannot read the same thing as one."""
    found: dict[str, tuple[Hazard, dict[str, None]]] = {}
    for each in hazards:
        said = way_out(each._replace(step="") if each.kind is Kind.UNREADABLE else each)
        found.setdefault(said, (each, {}))[1][each.step] = None
    for each, steps in found.values():
        yield each._replace(step=listed(steps))


def _rank(hazard: Hazard) -> tuple[object, ...]:
    return list(Kind).index(hazard.kind), hazard.step, hazard.cause, hazard.is_new, hazard.version


def _told(transition: Transition, phases: Iterable[tuple[str, ...]]) -> Iterator[Phase]:
    done: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    for number, steps in enumerate(phases, start=1):
        reasons: dict[str, None] = {}
        if number > 1:
            hazards = {each for step in steps for each in transition.in_the_way(before, [step])}
            found = sorted(hazards or transition.in_the_way(before, [*(done - before), *steps]), key=_rank)
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
