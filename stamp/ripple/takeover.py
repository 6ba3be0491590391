"""Events that other steps listen to than did before: what one step hands over to another, and when nobody attends to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from stamp.ripple.graph import published
from stamp.workflow.contract import StepContract

__all__ = ["Takeover", "Takeovers"]

Contracts = Mapping[str, StepContract]


class Takeover(NamedTuple):
    """The step `to` gets an event that the step `of` got before, to do the same work."""

    event: str
    of: str
    to: str


@dataclass(frozen=True, eq=False)
class Takeovers:
    """What changes about who listens between the contracts of a workflow as they were and as they are."""

    old: Contracts
    new: Contracts

    @cached_property
    def found(self) -> tuple[Takeover, ...]:
        """Every step that takes over an event, with each one that it takes it over from."""
        return tuple(
            Takeover(event, of, to)
            for event in self._hearing_old.keys() & self._hearing_new.keys()
            for of in sorted(self._hearing_old[event] - self._hearing_new[event])
            for to in sorted(self._hearing_new[event] - self._hearing_old[event])
            if self._is_taken_over(event, of, to)
        )

    @cached_property
    def contested(self) -> Mapping[str, Collection[str]]:
        """By event: the steps that listen to it before or after, and not both."""
        events = self._hearing_old.keys() | self._hearing_new.keys()
        return {event: self._hearing_old[event] ^ self._hearing_new[event] for event in events}

    def unattended(self, publisher: StepContract, running: Collection[StepContract]) -> Iterator[str]:
        """Yield the events of a publisher that stays which nobody who runs attends to, though steps did before the change.

        An event that nobody is to listen to from now on is meant to end its runs; one that is to go is still work for those who got it.
        The queue of a step that is yet to come is there once a publisher runs that knows of it: what is published waits.
        """
        if publisher.step in self.old and publisher.step in self.new:
            for event in set(published(publisher)).intersection(published(self.old[publisher.step])):
                present = {party.step for party in running if event in party.on}
                if self._is_left(event, present):
                    yield event

    def _is_left(self, event: str, present: Collection[str]) -> bool:
        was, will_be = self._hearing_old[event], self._hearing_new[event]
        if event not in self._published_new:
            return not was - self.new.keys() <= set(present)
        return bool(was & self.new.keys() and will_be and not present)

    def _is_taken_over(self, event: str, of: str, to: str) -> bool:
        """Tell whether two steps do the same work: they publish the same, or nobody else is there whose work it could be."""
        was, will_be = self.old[of], self.new[to]
        if was.emits.keys() & will_be.emits.keys():
            return True
        if of in self.new or to in self.old:
            return False
        is_alike = not was.emits and not will_be.emits and was.reads.keys() == will_be.reads.keys()
        return is_alike or not self._hearing_old[event] & self._hearing_new[event]

    @cached_property
    def _hearing_old(self) -> defaultdict[str, set[str]]:
        return _hearing(self.old)

    @cached_property
    def _hearing_new(self) -> defaultdict[str, set[str]]:
        return _hearing(self.new)

    @cached_property
    def _published_new(self) -> frozenset[str]:
        return frozenset(event for party in self.new.values() for event in published(party))


def _hearing(contracts: Contracts) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for step, party in contracts.items():
        for event in party.on:
            found[event].add(step)
    return found
