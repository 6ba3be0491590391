"""A search for an order of deployment: as many steps at once as is safe, and single ones where that leads nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

from stamp.ripple.influence import groups
from stamp.ripple.transition import Transition

__all__ = ["Impasse", "Order", "order"]

MAX_STAGES: Final = 2_000
"""How many stages are looked at before an order is given up that was not found by the shortest way."""

MAX_LOOKS: Final = 100_000
"""How often a step is looked at in some stage before an order is given up: about a minute or two."""

Phases: TypeAlias = Sequence[tuple[str, ...]]
"""Steps that may be deployed at the same time, in any order; then others; and so on."""


class Impasse(NamedTuple):
    """Steps that are done, and those that none of can be deployed after them."""

    done: frozenset[str]
    left: tuple[str, ...]


class Order(NamedTuple):
    """Phases for all steps; or the impasses that groups of them come to, the furthest of each.

    Where the search was given up there may be an order all the same.
    """

    phases: Phases = ()
    impasses: Sequence[Impasse] = ()
    is_given_up: bool = False


def order(transition: Transition) -> Order:
    """Return an order in which nothing goes wrong that does not go wrong in the baseline, or why none was found.

    Each group of steps has its own search, and its phases go on beside those of the others.
    """
    found: list[Phases] = []
    impasses: list[Impasse] = []
    is_given_up = False
    for steps in groups(transition):
        search = _Search(transition, steps)
        phases = search.phases(frozenset())
        if phases is None:
            impasses.append(search.impasse)
            is_given_up |= search.is_given_up
        else:
            found.append(phases)
    if impasses:
        return Order(impasses=impasses, is_given_up=is_given_up)
    together = zip_longest(*found, fillvalue=())
    return Order([tuple(sorted(step for steps in phase for step in steps)) for phase in together])


class _Search:
    """The search for the phases of a group of steps, depth first."""

    def __init__(self, transition: Transition, steps: Sequence[str]) -> None:
        self._transition = transition
        self._steps = steps
        self._dead: set[frozenset[str]] = set()
        self.impasse = Impasse(frozenset(), tuple(steps))
        self.is_given_up = False

    def phases(self, done: frozenset[str]) -> list[tuple[str, ...]] | None:
        left = [step for step in self._steps if step not in done]
        if not left:
            return []
        if done in self._dead or self._is_over():
            return None
        steps: tuple[str, ...] = ()
        for steps in self._options(done, left):
            following = self.phases(done | set(steps))
            if following is not None:
                return [steps, *following]
            if self.is_given_up:
                return None
        self._dead.add(done)
        if not steps and len(done) > len(self.impasse.done):
            self.impasse = Impasse(done, tuple(left))
        return None

    def _is_over(self) -> bool:
        stages = self._transition.stages
        is_long = bool(self._dead) and stages > MAX_STAGES
        self.is_given_up |= is_long or stages * self._transition.size > MAX_LOOKS
        return self.is_given_up

    def _options(self, done: frozenset[str], left: Collection[str]) -> Iterator[tuple[str, ...]]:
        """Yield what may come next: first what leaves nobody behind who publishes to it, then whatever may."""
        ready = [step for step in left if self._transition.before(step) <= done] or left
        publishers = self._transition.departures.publishers
        orderly = [step for step in ready if publishers.get(step, {}).keys() <= done]
        if orderly and len(orderly) < len(ready):
            yield from self._choices(done, orderly)
        yield from self._choices(done, ready)

    def _choices(self, done: frozenset[str], ready: Collection[str]) -> Iterator[tuple[str, ...]]:
        if self._is_safe(done, ready):
            yield tuple(ready)
            alone = list(ready)
        else:
            alone = [step for step in ready if self._is_safe(done, [step])]
            together: list[str] = []
            for step in alone:
                if not together or self._is_safe(done, [*together, step]):
                    together.append(step)
            if together:
                yield tuple(together)
        if len(alone) > 1:
            yield from ((step,) for step in alone)

    def _is_safe(self, done: frozenset[str], steps: Collection[str]) -> bool:
        """Tell whether steps can be deployed at the same time, in any order.

        Other versions of other steps only add to what can go wrong, but for one thing: a step may starve until they are there.
        """
        orders = [steps]
        if len(steps) > 1 and not self._transition.rerouted.isdisjoint(steps):
            orders += [[step] for step in steps]
        return not any(self._transition.in_the_way(done, each) for each in orders)
