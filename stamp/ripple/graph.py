"""The event graph of a workflow, and what each event carries: a fold of contracts, nothing else.

A run is a chain of events: a step takes one event, whose envelope has all that came before on the way to it, and publishes others.
So what a step can read is decided by the ways that lead to it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import count, islice
from typing import Final, TypeAlias

from stamp.workflow.contract import StepContract

__all__ = ["ABSENT", "NOTHING", "Graph", "Held", "Route", "published"]

Held: TypeAlias = Mapping[str, frozenset[str | None]]
"""By step: the records that its latest contribution may be; None when there may be no contribution. A step without entry has made none."""

Route: TypeAlias = tuple[str, ...]
"""Events, each of which the step before it publishes when it gets the one before."""

ABSENT: Final[str | None] = None
NOTHING: Final[frozenset[str | None]] = frozenset({ABSENT})

MAX_ROUTES: Final = 3
MAX_TRIED: Final = 5_000
"""How many routes are told, and how many beginnings of them are tried. Graphs can have 2^n; nobody reads more than a few."""


@dataclass(frozen=True, eq=False)
class Graph:
    """The parties of a workflow, and what the events that can occur carry.

    A step is several parties while several of its versions run: each event is then whatever any of them makes of it.
    """

    workflow: str
    parties: tuple[StepContract, ...]
    carried: Mapping[str, Held]

    @classmethod
    def of(cls, workflow: str, parties: Iterable[StepContract]) -> Graph:
        """Return the graph of these parties."""
        present = tuple(parties)
        return cls(workflow, present, _carried(present))

    @cached_property
    def listening(self) -> Mapping[str, tuple[StepContract, ...]]:
        """The parties that listen to each event."""
        found: defaultdict[str, list[StepContract]] = defaultdict(list)
        for party in self.parties:
            for event in party.on:
                found[event].append(party)
        return {event: tuple(parties) for event, parties in found.items()}

    def listeners(self, event: str) -> tuple[str, ...]:
        """Return the steps that listen to an event."""
        return tuple(dict.fromkeys(party.step for party in self.listening.get(event, ())))

    def publishers(self, event: str) -> tuple[str, ...]:
        """Return the steps that may publish an event, be it of success or of failure, if they are ever reached."""
        return tuple(dict.fromkeys(party.step for party in self.parties if event in published(party)))

    def arriving(self, party: StepContract) -> Held | None:
        """Return what the envelopes that reach a party hold; None when none ever does."""
        return _arriving(party, self.carried)

    def routes(self, producer: str, records: Collection[str | None], consumer: StepContract) -> list[Route]:
        """Return ways by which `consumer` gets what `producer` writes as one of `records`, the shortest first, not all of them."""
        starts = [
            event for party in self._parties_of(producer) for event, name in party.emits.items() if name in records
        ]
        return list(islice(self._ways(starts, consumer.on, avoiding=producer), MAX_ROUTES))

    def detours(self, consumer: StepContract, producer: str) -> tuple[Route, ...]:
        """Return the shortest way to `consumer` on which `producer` contributes nothing, if there is one."""
        starts = [event for party in self.parties if not party.on and party.step != producer for event in party.emits]
        failing = {event for party in self._parties_of(producer) if party.on for event in (party.fails,)}
        return tuple(islice(self._ways(starts, consumer.on, avoiding=producer, passing=failing), 1))

    def carriers(self, producer: str, records: Collection[str | None]) -> tuple[str, ...]:
        """Return the steps that get what `producer` writes as one of `records`, in the order of the flow, that step itself left out."""
        events = (e for party in self._parties_of(producer) for e, name in party.emits.items() if name in records)
        return tuple(self._following(events, avoiding=producer))

    def leads(self, event: str, step: str) -> bool:
        """Tell whether a step may get an event, or one that follows from it."""
        return step in self._following([event])

    def _following(self, events: Iterable[str], *, avoiding: str | None = None) -> dict[str, None]:
        """Return the steps that may get one of `events` or what follows from them, the nearer first; nothing follows from `avoiding`."""
        waiting = deque(events)
        seen = set(waiting)
        reached: dict[str, None] = {}
        while waiting:
            for party in self.listening.get(waiting.popleft(), ()):
                if party.step != avoiding:
                    reached[party.step] = None
                    fresh = [event for event in published(party) if event not in seen]
                    seen.update(fresh)
                    waiting += fresh
        return reached

    def _parties_of(self, step: str) -> Iterator[StepContract]:
        return (party for party in self.parties if party.step == step)

    def _ways(
        self, starts: Iterable[str], ends: Collection[str], *, avoiding: str, passing: Collection[str] = ()
    ) -> Iterator[Route]:
        """Yield ways from an event of `starts` to one of `ends`, no step twice, the shortest first.

        The step `avoiding` lets only the events `passing` follow. Ways are prolonged in the order of how long they will be at least,
        and of two that will be equally long the longer one: so one is found at once where there are 2^n.
        """

        def following(event: str) -> Iterator[tuple[str, str]]:
            for party in self.listening.get(event, ()):
                for after in passing if party.step == avoiding else published(party):
                    yield party.step, after

        left = _distances(self.carried, ends, following)
        number = count()
        firsts = [event for event in dict.fromkeys(starts) if event in left]
        waiting: list[tuple[int, int, int, Route, frozenset[str]]] = [
            (left[event], 0, next(number), (event,), frozenset()) for event in firsts
        ]
        heapify(waiting)
        for _ in range(MAX_TRIED):
            if not waiting:
                return
            _, _, _, way, passed = heappop(waiting)
            if way[-1] in ends:
                yield way
            for step, event in following(way[-1]):
                if step not in passed and event in left:
                    least = len(way) + left[event]
                    heappush(waiting, (least, -len(way), next(number), (*way, event), passed | {step}))


def _distances(
    events: Iterable[str], ends: Iterable[str], following: Callable[[str], Iterator[tuple[str, str]]]
) -> dict[str, int]:
    """Return over how many events each one leads to the nearest of `ends`; those that lead to none are left out."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        for _, after in following(event):
            before[after].append(event)
    left = dict.fromkeys(ends, 0)
    waiting = deque(left)
    while waiting:
        event = waiting.popleft()
        fresh = [each for each in before[event] if each not in left]
        left |= dict.fromkeys(fresh, left[event] + 1)
        waiting += fresh
    return left


def published(party: StepContract) -> tuple[str, ...]:
    """Return every event that a step may publish. One that starts runs cannot fail: there is no message yet."""
    return (*party.emits, party.fails) if party.on else tuple(party.emits)


def _carried(parties: Collection[StepContract]) -> dict[str, Held]:
    """Return what each event that can occur carries: the least fixpoint, from the steps that start runs."""
    carried: dict[str, Held] = {}
    waiting = [party for party in parties if not party.on]
    while waiting:
        grown = {event for party in waiting for event in _publish(party, carried)}
        waiting = [party for party in parties if not grown.isdisjoint(party.on)]
    return carried


def _publish(party: StepContract, carried: dict[str, Held]) -> Iterator[str]:
    """Add what a party publishes for what arrives, and yield the events that have become more."""
    arriving = _arriving(party, carried)
    assert arriving is not None
    outgoing = {event: {**arriving, party.step: frozenset({name})} for event, name in party.emits.items()}
    if party.on:
        outgoing.setdefault(party.fails, dict(arriving))
    for event, held in outgoing.items():
        before = carried.get(event)
        after = held if before is None else _either(before, held)
        if after != before:
            carried[event] = after
            yield event


def _arriving(party: StepContract, carried: Mapping[str, Held]) -> Held | None:
    if not party.on:
        return {}
    found: Held | None = None
    for event in party.on:
        if event in carried:
            found = carried[event] if found is None else _either(found, carried[event])
    return found


def _either(one: Held, other: Held) -> Held:
    return {step: one.get(step, NOTHING) | other.get(step, NOTHING) for step in one.keys() | other.keys()}
