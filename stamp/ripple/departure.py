"""Steps that are removed together: who publishes goes before those who listen to it, or is still published to nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stamp.ripple.graph import published
from stamp.workflow.contract import StepContract

__all__ = ["Departures"]

Contracts = Mapping[str, StepContract]


@dataclass(frozen=True, eq=False)
class Departures:
    """The steps that are in the contracts of a workflow as they were, and not in those as they are."""

    old: Contracts
    new: Contracts

    @cached_property
    def publishers(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """By removed step: the removed ones that publish events to it, with these events, which nobody publishes from now on.

        Of steps that publish to each other in a circle none is before the other: they go after those that publish to any of them.
        """
        found: dict[str, dict[str, list[str]]] = {step: {} for step in self._edges}
        for step, publishers in found.items():
            for each in self._circle(step):
                for publisher, event in self._edges[each]:
                    if publisher not in self._reached[step]:
                        publishers.setdefault(publisher, []).append(event)
        return found

    def _circle(self, step: str) -> Sequence[str]:
        return sorted(each for each in self._reached[step] if step in self._reached[each])

    @cached_property
    def _edges(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        gone = self.old.keys() - self.new.keys()
        stays = {event for party in self.new.values() for event in published(party)}
        publishing: defaultdict[str, list[str]] = defaultdict(list)
        for step in sorted(gone):
            for event in set(published(self.old[step])) - stays:
                publishing[event].append(step)
        return {
            step: [(publisher, event) for event in sorted(set(self.old[step].on)) for publisher in publishing[event]]
            for step in sorted(gone)
        }

    @cached_property
    def _reached(self) -> Mapping[str, set[str]]:
        """The removed steps that something comes to of what each one publishes, be it by way of others; itself among them."""
        following: defaultdict[str, set[str]] = defaultdict(set)
        for listener, events in self._edges.items():
            for publisher, _ in events:
                following[publisher].add(listener)
        return {step: set(_walk(step, following)) for step in self._edges}


def _walk(step: str, following: Mapping[str, set[str]]) -> Iterator[str]:
    seen, waiting = {step}, [step]
    while waiting:
        yield (each := waiting.pop())
        new = following.get(each, set()) - seen
        seen |= new
        waiting += new
