"""Which steps of a change can be in each other's way at all: a search need not try the orders of steps that never meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from stamp.ripple.graph import published
from stamp.ripple.transition import Transition

__all__ = ["groups"]


def groups(transition: Transition) -> Sequence[tuple[str, ...]]:
    """Return the changed steps in groups. In no stage does what goes wrong for any step depend on more than one of them."""
    found = [{step} for step in transition.changed]
    for about in _influences(transition):
        touched = [group for group in found if not group.isdisjoint(about)]
        if len(touched) > 1:
            found = [group for group in found if group.isdisjoint(about)]
            found.append(set[str]().union(*touched))
    return sorted(tuple(sorted(group)) for group in found)


def _influences(transition: Transition) -> Iterator[set[str]]:
    """Yield for each step the changed ones on which it depends what goes wrong for it, be it as it was or as it is.

    They are the step itself; those before it that make something else of the event graph than they did, since they decide what comes
    to it; and those whose new data it cannot read. Without the first two none of the others depends on another. Who hears what
    a step publishes is behind it, and has its own turn; but those who listen to one event before or after depend on one another.
    """
    followers = _followers(transition)
    reached = {step: _reached(step, followers) for step in transition.shifting}
    for step in followers:
        own = {step}.intersection(transition.changed) | {other for other, after in reached.items() if step in after}
        if own:
            yield own | transition.unreadable(step)
    yield from (set(steps) for steps in transition.takeovers.contested.values())


def _followers(transition: Transition) -> Mapping[str, set[str]]:
    """Return the steps that hear something of each one, be it as they were or as they are."""
    steps = dict.fromkeys((*transition.old, *transition.new))
    hearing: defaultdict[str, set[str]] = defaultdict(set)
    for step in steps:
        for party in transition.versions(step):
            for event in party.on:
                hearing[event].add(step)
    return {
        step: {other for party in transition.versions(step) for event in published(party) for other in hearing[event]}
        for step in steps
    }


def _reached(step: str, followers: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = {step}
    while waiting:
        waiting = {after for each in waiting for after in followers[each]} - reached
        reached |= waiting
    return reached
