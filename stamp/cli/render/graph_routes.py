"""Which lines of a drawn flow go straight to the next row, and which go round: out of their box, along a lane, in from above.

Lines that go round have a row of their own wherever they leave or arrive, and a lane beside the drawing, so that no two lie on one another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stamp.cli.flow import Event, Flow, Step

__all__ = ["ROW", "Band", "Wire", "bands", "box_of", "lanes", "links", "wires"]

ROW: Final = 9
"""px between lines side by side."""


class Band(NamedTuple):
    """The room above the cards of a layer, where lines arrive (`is_in`), or below them, where they leave."""

    layer: int
    is_in: bool

    @property
    def rank(self) -> int:
        """How far down it is."""
        return 2 * self.layer + (not self.is_in)


@dataclass(frozen=True, slots=True)
class Wire:
    """A line from a box to others that goes round: what is read of the step `read`, on the right, or else `event`, on the left."""

    source: str
    leaves: Band
    targets: tuple[tuple[str, Band], ...]
    event: Event | None = None
    read: str | None = None

    @property
    def key(self) -> str:
        """What no other one has."""
        return f"{self.source} {self.read if self.event is None else f'as {self.event.name}'}"

    @property
    def is_left(self) -> bool:
        """Whether its lane is on the left."""
        return self.event is not None

    @property
    def used(self) -> Sequence[Band]:
        """The bands in which it has a row, from above."""
        return sorted({self.leaves, *(band for _, band in self.targets)}, key=lambda band: band.rank)


def box_of(thing: Step | Event) -> str:
    """Return what the box of a step or an event is called."""
    return f"{'step' if isinstance(thing, Step) else 'event'} {thing.name}"


def links(flow: Flow, layers: Mapping[str, int]) -> Iterator[tuple[str, str, Event]]:
    """Yield the boxes, of rows that follow one another, that an event joins: who publishes it and its own, its own and who listens."""
    for event in flow.events:
        own = box_of(event)
        yield from ((source, own, event) for source in _publishers(event) if layers[source] == layers[own])
        yield from ((own, target, event) for target in _listeners(event) if layers[target] == layers[own] + 1)


def wires(flow: Flow, layers: Mapping[str, int]) -> Iterator[Wire]:
    """Yield the lines that go round, those of events first: to a layer that is not the next one; and all that steps read."""
    for event in flow.events:
        own = box_of(event)
        layer = layers[own]
        far = [target for target in _listeners(event) if layers[target] != layer + 1]
        if far:
            targets = tuple((target, Band(layers[target], is_in=True)) for target in far)
            yield Wire(own, Band(layer + 1, is_in=True), targets, event)
        for source in _publishers(event):
            if layers[source] != layer:
                leaving = Band(layers[source], is_in=False)
                yield Wire(source, leaving, ((own, Band(layer, is_in=False)),), event)
    for step in flow.steps:
        readers = [box_of(each) for each in flow.steps if step.name in {read.producer for read in each.reads}]
        if readers:
            targets = tuple((reader, Band(layers[reader], is_in=True)) for reader in readers)
            yield Wire(box_of(step), Band(step.layer, is_in=False), targets, read=step.name)


def _publishers(event: Event) -> list[str]:
    return [f"step {name}" for name in event.publishers]


def _listeners(event: Event) -> list[str]:
    return [f"step {name}" for name in event.listeners]


def bands(wires: Iterable[Wire]) -> Mapping[Band, list[str]]:
    """Return the keys of the lines that have a row in each band, from above."""
    found: defaultdict[Band, list[str]] = defaultdict(list)
    for wire in wires:
        for band in wire.used:
            found[band].append(wire.key)
    return dict(found)


def lanes(wires: Iterable[Wire]) -> dict[str, int]:
    """Return the number of the lane of each line, 0 next to the drawing. Short ones are inside; those of one lane are apart."""
    taken: defaultdict[tuple[bool, int], list[tuple[int, int]]] = defaultdict(list)
    found: dict[str, int] = {}
    for wire in sorted(wires, key=_length):
        first, last = wire.used[0].rank, wire.used[-1].rank
        lane = 0
        while any(first <= end and start <= last for start, end in taken[wire.is_left, lane]):
            lane += 1
        taken[wire.is_left, lane].append((first, last))
        found[wire.key] = lane
    return found


def _length(wire: Wire) -> int:
    return wire.used[-1].rank - wire.used[0].rank
