"""How large the events of a workflow become along its flow: every event carries all that came before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from stamp.ripple.brokers import BROKERS, Broker
from stamp.ripple.contracts import Contracts, Version
from stamp.ripple.graph import Graph, published
from stamp.ripple.sizes import ASSUMED, Assumptions, Size, size_of, unbounded
from stamp.schema.types import Type
from stamp.workflow.contract import StepContract

__all__ = ["BUDGET", "EventSize", "Growth", "growth"]

BUDGET: Final = 256 * 1024
"""Bytes of an envelope: the limit under which it is read again, if nobody says otherwise (`stamp.envelope.Limits`)."""

HEADER: Final = 10 + 8 + 1 + 1
"""Magic, time, no attributes, and the end of the contributions."""

TIMES: Final = Size(16, 20)
PLAIN: Final = 3 + 16 + 3 + 16 + 3
"""Of a contribution: its block, the id of its schema, the length of its payload, its id, outcome and no attributes or signatures."""

CAUSE: Final = 18

FAILURE: Final = Size(200, None)
"""A failure: type and message, and both again as attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSize:
    """How large an event becomes, on the way that makes it largest. `own` is what its publisher adds.

    `unbounded` are the fields (`ticket.description`) for which there is no most. `loops` tells that a step may come again on the way:
    usual sizes count it once. `before` is the size in the first baseline, None when that lacks the event.
    """

    event: str
    step: str
    size: Size
    own: Size
    unbounded: tuple[str, ...]
    loops: bool = False
    before: Size | None = None

    def refused_by(self) -> tuple[Broker, ...]:
        """Return the brokers that do not take the event as large as it usually is."""
        return tuple(broker for broker in BROKERS if self.size.typical > broker.envelope)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The sizes of all events of a workflow in the order of its flow, what was assumed, and what they are held against, in bytes."""

    workflow: str
    events: tuple[EventSize, ...]
    assumed: Assumptions = ASSUMED
    budget: int = BUDGET

    @cached_property
    def largest(self) -> EventSize | None:
        """The event that is usually the largest."""
        return max(self.events, key=lambda each: each.size.typical, default=None)


def growth(
    contracts: Contracts,
    graph: Graph,
    *,
    types: Callable[[Version], Type],
    assumed: Assumptions = ASSUMED,
    budget: int = BUDGET,
    before: Growth | None = None,
) -> Growth:
    """Return the sizes of all events that can occur in a workflow. `types` gives the type graph of a version."""
    added = _Added(contracts, graph.workflow, types, assumed)
    flow = _Flow(graph, added)
    known = {(each.step, each.event): each.size for each in before.events} if before else {}
    start = HEADER + 2 + len(graph.workflow) + assumed.workflow_id
    events = []
    for party in flow.order:
        around, fields, loops = flow.arriving(party.step)
        for event in published(party):
            own = added.by(party, event)
            if event in party.emits or graph.listeners(event):
                size = Size(start, start) + around + own
                events.append(
                    EventSize(
                        event=event,
                        step=party.step,
                        size=size if not loops else Size(size.typical, None),
                        own=own,
                        unbounded=tuple(dict.fromkeys((*fields, *added.unbounded(party, event)))),
                        loops=loops,
                        before=known.get((party.step, event)),
                    )
                )
    return Growth(workflow=graph.workflow, events=tuple(events), assumed=assumed, budget=budget)


class _Added:
    """What each step adds to an envelope."""

    def __init__(
        self, contracts: Contracts, workflow: str, types: Callable[[Version], Type], assumed: Assumptions
    ) -> None:
        self._assumed = assumed
        self._types: dict[tuple[str, str], Type] = {}
        self._sizes: dict[tuple[str, str], Size] = {}
        for party in contracts.of(workflow).values():
            newest = {version.written.name: version for version in contracts.versions(workflow, party.step)}
            for name in party.emits.values():
                self._types[party.step, name] = types(newest[name])

    def by(self, party: StepContract, event: str) -> Size:
        names = PLAIN + 2 + len(party.step) + len(event) + (CAUSE if party.on else 1)
        return Size(names, names) + TIMES + self._payload(party, event)

    def unbounded(self, party: StepContract, event: str) -> list[str]:
        if event not in party.emits:
            return [f"{party.step} (failure)"]
        return [f"{party.step}.{path}" for path in unbounded(self._types[party.step, party.emits[event]])]

    def _payload(self, party: StepContract, event: str) -> Size:
        if event not in party.emits:
            return FAILURE
        key = party.step, party.emits[event]
        if key not in self._sizes:
            self._sizes[key] = size_of(self._types[key], self._assumed)
        return self._sizes[key]


Around = tuple[Size, tuple[str, ...], bool]
"""What envelopes hold when they reach a step: bytes, fields without bound, and whether the step is in a loop or behind one."""


class _Flow:
    """The steps in the order of the flow. Steps in a loop are taken together: each of them may have come before each."""

    def __init__(self, graph: Graph, added: _Added) -> None:
        self._added = added
        self._graph = graph
        self._parties = {party.step: party for party in graph.parties if graph.is_reached(party)}
        self._next = {step: self._followers(party) for step, party in self._parties.items()}
        self._after = {step: self._reach(step) for step in self._parties}
        self._known: dict[str, Around] = {}

    @property
    def order(self) -> list[StepContract]:
        """The steps that are reached, each behind those that only come before it."""
        return sorted(self._parties.values(), key=lambda party: -len(self._after[party.step]))

    def arriving(self, step: str) -> Around:
        if step not in self._known:
            self._known[step] = self._arriving(step)
        return self._known[step]

    def _arriving(self, step: str) -> Around:
        loop = self._loop(step)
        heard = {event for each in loop for event in self._parties[each].on}
        before = {each for event in heard for each in self._graph.publishers(event)} - loop
        entries = [
            (party, event)
            for party in self._parties.values()
            if party.step in before
            for event in published(party)
            if event in heard
        ]
        ways = [self._after_entry(before, event) for before, event in entries] or [(Size(0, 0), (), False)]
        typical = max(size.typical for size, _, _ in ways)
        worst = None if any(size.worst is None for size, _, _ in ways) else max(size.worst or 0 for size, _, _ in ways)
        within = self._once(each for each in loop if each != step)
        fields = dict.fromkeys(field for _, found, _ in ways for field in found)
        is_endless = step in self._after[step] or any(loops for _, _, loops in ways)
        return Size(typical, worst) + within, tuple(fields), is_endless

    def _after_entry(self, party: StepContract, event: str) -> Around:
        size, fields, loops = self.arriving(party.step)
        return size + self._added.by(party, event), (*fields, *self._added.unbounded(party, event)), loops

    def _once(self, steps: Iterable[str]) -> Size:
        """Return what steps add, each with its largest event of success."""
        total = Size(0, 0)
        for step in steps:
            sizes = [self._added.by(self._parties[step], event) for event in self._parties[step].emits]
            total += max(sizes, key=lambda size: size.typical, default=Size(0, 0))
        return total

    def _loop(self, step: str) -> set[str]:
        if step not in self._after[step]:
            return {step}
        return {other for other in self._after[step] if step in self._after[other]}

    def _followers(self, party: StepContract) -> set[str]:
        return {step for event in published(party) for step in self._graph.listeners(event)} & self._parties.keys()

    def _reach(self, step: str) -> set[str]:
        reached: set[str] = set()
        waiting = set(self._next[step])
        while waiting:
            reached |= waiting
            waiting = {after for each in waiting for after in self._next[each]} - reached
        return reached
