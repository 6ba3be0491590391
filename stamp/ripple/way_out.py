"""The way out of a change that has no safe order. Each step of it is tried on the contracts before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from stamp.errors import StampError
from stamp.ripple.contracts import Contracts
from stamp.ripple.hazard import Hazard, Kind
from stamp.ripple.mending import Part, dispensing, tolerating
from stamp.ripple.rerouting import ROUTES, reroutings
from stamp.ripple.sketch import Sketch
from stamp.ripple.transition import Transition

__all__ = ["Trial", "ways_out"]

Trial: TypeAlias = Callable[[Contracts, Contracts], bool]
"""Tells whether a check finds no error in going from contracts to others."""

MAX_TOLD: Final = 5
"""How many parts of a way out are told: for each of them the contracts are checked again."""

PAUSE: Final = (
    "Stop what starts runs, let all runs end and all queues run empty, deploy everything at once, and start again: "
    "no change in several steps was found that is safe"
)


def ways_out(
    transition: Transition, hazards: Iterable[Hazard], is_good: Trial, *, is_end_broken: bool
) -> tuple[str, ...]:
    """Return what to do instead of a change, as expand and contract; nothing where nothing was found that a check finds no error in."""
    found = tuple(hazards)
    for parts in _candidates(transition, found):
        if told := _tried(transition, parts, is_good):
            return told
    are_old_data_read = all(each.kind is not Kind.UNREADABLE for each in found)
    return (PAUSE,) if are_old_data_read and not is_end_broken else ()


def _candidates(transition: Transition, hazards: Sequence[Hazard]) -> Iterator[Sequence[Part]]:
    apart = [*tolerating(transition, hazards), *dispensing(transition, hazards)]
    if any(each.kind in ROUTES for each in hazards):
        yield from ([*apart, rerouting] for rerouting in reroutings(transition, hazards))
    elif apart:
        yield apart


def _tried(transition: Transition, parts: Sequence[Part], is_good: Trial) -> tuple[str, ...]:
    """Return what to say of parts: nothing, unless a check finds no error in the first halves; of the second halves those without one."""
    workflow = transition.workflow
    before = transition.baseline.only([workflow])
    sketch = Sketch(transition.study.now, workflow)
    for part in parts:
        part.expanded(sketch)
    expanded = _contracts(sketch)
    if expanded is None or not is_good(before, expanded):
        return ()
    told = [f"Expand: {part.expand}{_contracting(part, expanded, workflow, is_good)}" for part in parts[:MAX_TOLD]]
    return (*told, *([f"And so for {len(parts) - MAX_TOLD:,} more"] if len(parts) > MAX_TOLD else []))


def _contracting(part: Part, expanded: Contracts, workflow: str, is_good: Trial) -> str:
    if not part.contract:
        return ""
    sketch = Sketch(expanded, workflow)
    part.contracted(sketch)
    contracted = _contracts(sketch)
    return f". Contract: {part.contract}" if contracted is not None and is_good(expanded, contracted) else ""


def _contracts(sketch: Sketch) -> Contracts | None:
    """Return the contracts that a sketch is of; None when they contradict themselves, so that nobody could have them."""
    try:
        return sketch.contracts()
    except StampError:
        return None
