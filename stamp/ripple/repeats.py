"""Steps that one run triggers twice, and by which ways.

A run goes on wherever its events are heard: on one way after another, and on several side by side where one event has several
listeners, or one outcome several events. Events of different outcomes exclude one another. A step that two ways reach from where they
part works twice. A way that comes back through the step itself, or through one that has led to where the ways part, is a loop: it is meant.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from stamp.ripple.graph import Graph, Route
from stamp.workflow.contract import StepContract

__all__ = ["MAX_REPEATS", "Network", "Repeat", "involved"]

MAX_REPEATS: Final = 20
"""How many repeats of one step are told: nobody reads more, and the ways of each take a search. No verdict depends on it."""


class Repeat(NamedTuple):
    """A step that gets a second event in one run. The ways are from the start of the run; `again` ends with the `event` in question.

    They part where the step `origin` publishes the events `parting`, all with one outcome.
    """

    step: str
    event: str
    once: Route
    again: Route
    origin: str
    parting: tuple[str, ...]

    @property
    def is_one_way(self) -> bool:
        """Whether the second event follows from the first one; else they come by branches of the run."""
        return len(self.once) < len(self.again) and self.again[: len(self.once)] == self.once


class _Hop(NamedTuple):
    """An event that one step publishes and another one takes. `outcome` tells which events are published together with it."""

    origin: str
    outcome: str
    event: str
    step: str


_Way: TypeAlias = Sequence[_Hop]


def involved(found: Iterable[Repeat]) -> set[str]:
    """Return the events by which repeats come, the first ones and the second ones."""
    return {event for each in found for event in (each.once[-1], each.event)}


class Network:
    """The hops of a graph, by where they begin and where they end, and the shortest way to each step."""

    def __init__(self, graph: Graph) -> None:
        self.leaving: dict[str, list[_Hop]] = {party.step: [] for party in graph.parties}
        self.arriving: dict[str, list[_Hop]] = {party.step: [] for party in graph.parties}
        for hop in dict.fromkeys(_hops(graph)):
            self.leaving[hop.origin].append(hop)
            self.arriving[hop.step].append(hop)
        self.after = {step: tuple(dict.fromkeys(hop.step for hop in hops)) for step, hops in self.leaving.items()}
        self._first = self._reached(party.step for party in graph.parties if not party.on)
        self._outcomes = [
            hops for step in self._first for hops in _by_outcome(self.leaving[step]).values() if len(hops) > 1
        ]

    def _reached(self, starts: Iterable[str]) -> dict[str, _Way]:
        found: dict[str, _Way] = dict.fromkeys(starts, ())
        waiting = deque(found)
        while waiting:
            step = waiting.popleft()
            for hop in self.leaving[step]:
                if hop.step not in found:
                    found[hop.step] = (*found[step], hop)
                    waiting.append(hop.step)
        return found

    @cached_property
    def events(self) -> Mapping[str, AbstractSet[str]]:
        """The events by which one run triggers a step more than once, of each step where there are such: found for all without a search for ways."""
        return {step: parting.keys() for step, parting in self._nearest.items() if parting}

    def repeats_of(self, step: str, *, known: Collection[str] = ()) -> Iterator[Repeat]:
        """Yield for each event by which a step is triggered again in one run the shortest pair of ways; none where both events are `known`."""
        told = set(known)
        for event, parting in self._nearest[step].items():
            if event not in told:
                pair = self._pair(parting, step, event)
                once, again = sorted((tuple(hop.event for hop in way) for way in pair), key=len)
                told |= {once[-1], again[-1]}
                events = tuple(dict.fromkeys(hop.event for hop in parting))
                yield Repeat(step, again[-1], once, again, origin=parting[0].origin, parting=events)

    @cached_property
    def _nearest(self) -> Mapping[str, Mapping[str, Sequence[_Hop]]]:
        """Where two ways part, the nearest to a step, one of which comes to it by an event: by step and event."""
        spreads: dict[int, _Spread] = {}  # as large as the graph, each of them: they are not kept
        return {step: self._nearest_to(step, spreads) for step, arriving in self.arriving.items() if len(arriving) > 1}

    def _nearest_to(self, step: str, spreads: dict[int, _Spread]) -> Mapping[str, Sequence[_Hop]]:
        left = self._left(step)
        near = sorted(
            (near[0] + near[1], number)
            for number, hops in enumerate(self._outcomes)
            if len(near := sorted(left[hop.step] for hop in hops if hop.step in left)) > 1
        )
        events = dict.fromkeys(hop.event for hop in self.arriving[step])
        found: dict[str, Sequence[_Hop]] = {}
        for _, number in near:
            parting = self._outcomes[number]
            if number not in spreads:
                spreads[number] = _Spread(self, parting, self._passed(parting))
            for event in spreads[number].repeated(step):
                found.setdefault(event, parting)
            if len(found) == len(events):
                break
        return {event: found[event] for event in events if event in found}

    def _left(self, step: str) -> dict[str, int]:
        """Return over how many hops each step leads to one."""
        found = {step: 0}
        waiting = deque(found)
        while waiting:
            here = waiting.popleft()
            for hop in self.arriving[here]:
                if hop.origin not in found and hop.origin in self._first:
                    found[hop.origin] = found[here] + 1
                    waiting.append(hop.origin)
        return found

    def _passed(self, parting: Sequence[_Hop]) -> set[str]:
        """Return the steps that a run has passed where it parts: what comes back to one of them is a loop."""
        return {hop.origin for hop in (*self._first[parting[0].origin], parting[0])}

    def _pair(self, parting: Sequence[_Hop], step: str, event: str) -> tuple[_Way, _Way]:
        """Return two ways to a step, one of which ends with `event`, that part with these hops and share no step after that.

        There must be such, as `_Spread` tells.
        """
        passed = self._passed(parting) - {step}
        search = _Search(self.leaving, [hop for hop in parting if hop.step not in passed], step, passed)
        pair = search.pair(event)
        assert pair is not None
        before = self._first[parting[0].origin]
        return (*before, *pair[0]), (*before, *pair[1])


class _Spread:
    """To which steps two ways lead that part with some hops and share no step after that; for all steps at once.

    Each step has a `gate`: of the steps that all ways to it pass, the first; itself where they share none. By Menger's theorem two
    ways without a common step lead to where ways come in from two gates.
    """

    def __init__(self, network: Network, parting: Sequence[_Hop], passed: Collection[str]) -> None:
        self._arriving, self._parting, self._passed = network.arriving, frozenset(parting), passed
        after = {step: () if step in passed else steps for step, steps in network.after.items()}
        self._gates: dict[str, str] = {}
        for step, last in _dominators([hop.step for hop in parting], after).items():
            self._gates[step] = step if last is None else self._gates[last]

    def repeated(self, step: str) -> Iterator[str]:
        """Yield the events by which two such ways come to a step. Where there are two, any way that comes is one of such two."""
        direct = [hop for hop in self._arriving[step] if hop in self._parting]
        others = [hop for hop in self._arriving[step] if self._is_way(hop)]
        if len(direct) + len({self._gates[hop.origin] for hop in others}) > 1:
            yield from (hop.event for hop in (*direct, *others))

    def _is_way(self, hop: _Hop) -> bool:
        """Tell whether a way comes to a hop that has not been at its end before."""
        return hop.origin not in self._passed and self._gates.get(hop.origin, hop.step) != hop.step


def _dominators(first: Iterable[str], after: Mapping[str, Iterable[str]]) -> Mapping[str, str | None]:
    """Return, for each step that some lead to, the last one before it that all ways to it pass; None where there is no such.

    Each comes behind those that it depends on. (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm".)
    """
    order = _in_order(first, after)
    numbers: dict[str | None, int] = {None: -1} | {step: number for number, step in enumerate(order)}
    before: dict[str, list[str | None]] = {step: [] for step in order}
    for step in first:
        before[step].append(None)
    for step in order:
        for each in after[step]:
            before[each].append(step)
    found: dict[str | None, str | None] = {None: None}
    is_settled = False
    while not is_settled:
        is_settled = True
        for step in order:
            known = [each for each in before[step] if each in found]
            last: str | None = known[0]
            for other in known[1:]:
                last = _meeting(last, other, found, numbers)
            if step not in found or found[step] != last:
                found[step] = last
                is_settled = False
    return {step: found[step] for step in order}


def _meeting(
    one: str | None, other: str | None, above: Mapping[str | None, str | None], numbers: Mapping[str | None, int]
) -> str | None:
    """Return where two ways up a tree meet, in which whatever is above has the lower number."""
    while one != other:
        if numbers[one] > numbers[other]:
            one = above[one]
        else:
            other = above[other]
    return one


def _in_order(first: Iterable[str], after: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the steps that some lead to in the reverse of a postorder: each comes behind one that leads to it."""
    seen: set[str] = set()
    done: list[str] = []
    waiting: list[tuple[str | None, Iterator[str]]] = [(None, iter(first))]
    while waiting:
        here, left = waiting[-1]
        step = next((each for each in left if each not in seen), None)
        if step is not None:
            seen.add(step)
            waiting.append((step, iter(after[step])))
        else:
            waiting.pop()
            if here is not None:
                done.append(here)
    return done[::-1]


class _Search:
    """A search for two ways that share no step, as a flow of two units of which each step lets one pass."""

    def __init__(
        self, leaving: Mapping[str, Sequence[_Hop]], parting: Sequence[_Hop], end: str, closed: Collection[str]
    ) -> None:
        self._leaving, self._parting, self._end, self._closed = leaving, parting, end, closed

    def pair(self, event: str) -> tuple[_Way, _Way] | None:
        """Return two ways to the end, the first hops of which are different, if there are any; one of them ends with `event`."""
        first = self._way({}, last=event)
        if first is None:
            return None
        second = self._way({hop.step: hop for hop in first})
        if second is None:
            return None
        undone = set(first) & set(second)  # a hop that the second way takes backwards is on neither
        kept = [hop for hop in (*first, *second) if hop not in undone]
        return self._followed(first[0], kept), self._followed(second[0], kept)

    def _followed(self, start: _Hop, kept: Sequence[_Hop]) -> _Way:
        after = {hop.origin: hop for hop in kept if hop not in self._parting}
        way = [start]
        while way[-1].step != self._end:
            way.append(after[way[-1].step])
        return way

    def _way(self, taken: Mapping[str, _Hop], *, last: str | None = None) -> _Way | None:
        """Return the shortest way to the end beside hops that are `taken`, by the step to which they lead; it may undo some of them.

        A way that comes to a step that is passed already has to go back from there, against the hop that is taken.
        """
        used = set(taken.values())
        waiting: deque[_Link] = deque(_Link(hop) for hop in self._parting if hop not in used)
        seen: set[tuple[str, bool]] = set()
        queued = {link.hop.step for link in waiting} - {self._end}
        while waiting:
            link = waiting.popleft()
            hop, is_forward = link.hop, link.is_forward
            here = hop.step if is_forward else hop.origin
            if here == self._end and is_forward:
                if last in {None, hop.event}:
                    return link.way()
                continue
            if (here, is_forward) in seen or here in self._closed:
                continue
            seen.add((here, is_forward))
            back = taken.get(here)
            if back is None or not is_forward:
                for after in self._leaving[here]:
                    if after.step not in queued and after not in used:
                        waiting.append(_Link(after, before=link))
                        if after.step != self._end:  # there the event decides, too
                            queued.add(after.step)
            if back is not None and back not in self._parting:
                waiting.append(_Link(back, is_forward=False, before=link))
        return None


class _Link(NamedTuple):
    """The last hop of a way, and the link before it: ways share their beginnings."""

    hop: _Hop
    is_forward: bool = True
    before: _Link | None = None

    def way(self) -> _Way:
        hops, link = [self.hop], self.before
        while link is not None:
            hops.append(link.hop)
            link = link.before
        return hops[::-1]


def _hops(graph: Graph) -> Iterator[_Hop]:
    for party in graph.parties:
        for outcome, events in _outcomes(party):
            for event in events:
                yield from (_Hop(party.step, outcome, event, step) for step in graph.listeners(event))


def _outcomes(party: StepContract) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what a step publishes together: all events that are emitted with one record, or the event of failure alone."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event, record in party.emits.items():
        found[record].append(event)
    for record, events in found.items():
        yield f"{record}: {', '.join(sorted(events))}", events
    if party.on and party.fails not in party.emits:
        yield "", (party.fails,)


def _by_outcome(hops: Iterable[_Hop]) -> Mapping[str, Sequence[_Hop]]:
    found: defaultdict[str, list[_Hop]] = defaultdict(list)
    for hop in hops:
        found[hop.outcome].append(hop)
    return found
