"""The event graph of a workflow, and what each event carries: a fold of contracts, nothing else.

A run is a chain of events: a step takes one event, whose envelope has all that came before on the way to it, and publishes others.
So what a step can read is decided by the ways that lead to it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from heapq import heapify, heappop, heappush
from itertools import count, islice
from operator import or_
from typing import Final, NamedTuple, TypeAlias

from stamp.workflow.contract import StepContract

__all__ = ["ABSENT", "NOTHING", "Flow", "Graph", "Route", "published"]

Route: TypeAlias = tuple[str, ...]
"""Events, each of which the step before it publishes when it gets the one before."""

Flow: TypeAlias = frozenset[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...], str]]

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

    @classmethod
    def of(cls, workflow: str, parties: Iterable[StepContract]) -> Graph:
        """Return the graph of these parties."""
        return cls(workflow, tuple(parties))

    @property
    def carried(self) -> Collection[str]:
        """The events that can occur."""
        return self._carried.keys()

    @cached_property
    def listening(self) -> Mapping[str, tuple[StepContract, ...]]:
        """The parties that listen to each event."""
        found: defaultdict[str, list[StepContract]] = defaultdict(list)
        for party in self.parties:
            for event in party.on:
                found[event].append(party)
        return {event: tuple(parties) for event, parties in found.items()}

    @cached_property
    def flow(self) -> Flow:
        """What decides which ways runs take: who listens to what, and publishes what. Graphs that differ in views have the same."""
        return frozenset((each.step, each.on, tuple(each.emits.items()), each.fails) for each in self.parties)

    def listeners(self, event: str) -> tuple[str, ...]:
        """Return the steps that listen to an event."""
        return tuple(dict.fromkeys(party.step for party in self.listening.get(event, ())))

    def publishers(self, event: str) -> tuple[str, ...]:
        """Return the steps that may publish an event, be it of success or of failure, if they are ever reached."""
        return tuple(dict.fromkeys(party.step for party in self._publishing.get(event, ())))

    def is_reached(self, party: StepContract) -> bool:
        """Tell whether a party starts runs, or any envelope ever reaches it."""
        return self._arriving(party.on) is not None

    def held(self, party: StepContract, producer: str) -> frozenset[str | None]:
        """Return the records that the latest contribution of `producer` may be when an event reaches a party.

        ABSENT is among them when there may be no contribution; there is NOTHING where none ever is.
        """
        arriving = self._arriving(party.on)
        bits = self._bits.get(producer)
        if arriving is None or bits is None:
            return NOTHING
        return frozenset(record for record, bit in bits.records.items() if arriving & bit)

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
        if step not in self._leading:
            self._leading[step] = self._leading_to(step)
        return event in self._leading[step]

    def following(self, events: Iterable[str]) -> set[str]:
        """Return the steps that may get one of some events, or one that follows from them."""
        return set(self._following(events))

    @cached_property
    def _publishing(self) -> Mapping[str, Sequence[StepContract]]:
        """The parties that may publish each event."""
        found: defaultdict[str, list[StepContract]] = defaultdict(list)
        for party in self.parties:
            for event in dict.fromkeys(published(party)):
                found[event].append(party)
        return found

    @cached_property
    def _bits(self) -> Mapping[str, _Bits]:
        return _numbered(self.parties)

    @cached_property
    def _start(self) -> int:
        """What the start of a run holds: no contribution of any step."""
        return sum(bits.records[ABSENT] for bits in self._bits.values())

    @cached_property
    def _carried(self) -> Mapping[str, int]:
        """What each event that can occur carries: the least fixpoint, from the steps that start runs."""
        carried: dict[str, int] = {}
        waiting: Iterable[StepContract] = [party for party in self.parties if not party.on]
        while waiting:
            grown = dict.fromkeys(event for party in waiting for event in self._publish(party, carried))
            hearing = {id(party): party for event in grown for party in self.listening.get(event, ())}
            waiting = hearing.values()
        return carried

    def _publish(self, party: StepContract, carried: dict[str, int]) -> Iterator[str]:
        """Add what a party publishes for what arrives, and yield the events that have become more."""
        arriving = self._union(party.on, carried)
        assert arriving is not None
        bits = self._bits[party.step]
        outgoing = {event: arriving & ~bits.all | bits.records[name] for event, name in party.emits.items()}
        if party.on:
            outgoing.setdefault(party.fails, arriving)
        for event, held in outgoing.items():
            before = carried.get(event, 0)
            if before | held != before or event not in carried:
                carried[event] = before | held
                yield event

    @cached_property
    def _arrived(self) -> dict[tuple[str, ...], int | None]:
        return {}

    def _arriving(self, on: tuple[str, ...]) -> int | None:
        if on not in self._arrived:
            self._arrived[on] = self._union(on, self._carried)
        return self._arrived[on]

    def _union(self, on: Collection[str], carried: Mapping[str, int]) -> int | None:
        """Return what the events that somebody listens to carry; None when none of them ever occurs."""
        if not on:
            return self._start
        there = [carried[event] for event in on if event in carried]
        return reduce(or_, there) if there else None

    @cached_property
    def _leading(self) -> dict[str, set[str]]:
        return {}

    def _leading_to(self, step: str) -> set[str]:
        """Return the events from which a step may get one."""
        found: set[str] = set()
        waiting = [event for party in self._parties_of(step) for event in party.on]
        while waiting:
            event = waiting.pop()
            if event not in found:
                found.add(event)
                waiting += (before for party in self._publishing.get(event, ()) for before in party.on)
        return found

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

        left = self._distances(ends, avoiding=avoiding, passing=passing)
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

    def _distances(self, ends: Iterable[str], *, avoiding: str, passing: Collection[str]) -> dict[str, int]:
        """Return over how many events each one leads to the nearest of `ends`; those that lead to none are left out."""
        left = dict.fromkeys(ends, 0)
        waiting = deque(left)
        while waiting:
            event = waiting.popleft()
            for party in self._publishing.get(event, ()):
                if party.step != avoiding or event in passing:
                    fresh = [each for each in party.on if each not in left]
                    left |= dict.fromkeys(fresh, left[event] + 1)
                    waiting += fresh
        return left


def published(party: StepContract) -> tuple[str, ...]:
    """Return every event that a step may publish. One that starts runs cannot fail: there is no message yet."""
    return (*party.emits, party.fails) if party.on else tuple(party.emits)


class _Bits(NamedTuple):
    """What stands in a number for the records of a step; ABSENT is among them. What may be in any of several envelopes is then one `or`."""

    records: Mapping[str | None, int]
    all: int


def _numbered(parties: Iterable[StepContract]) -> dict[str, _Bits]:
    records: defaultdict[str, dict[str | None, None]] = defaultdict(lambda: {ABSENT: None})
    for party in parties:
        records[party.step].update(dict.fromkeys(party.emits.values()))
    bit = (1 << number for number in count())
    found = {step: {name: next(bit) for name in names} for step, names in records.items()}
    return {step: _Bits(bits, sum(bits.values())) for step, bits in found.items()}
