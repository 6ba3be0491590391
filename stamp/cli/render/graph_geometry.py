"""The geometry of a drawn flow: where its boxes are, and along which points its lines run. All in px, y downwards.

A layer has, from above: lines that arrive, its cards, lines that leave, its events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from stamp.cli.flow import Event, Flow
from stamp.cli.render.graph_card import PADDING, PILL, Card, card, pill
from stamp.cli.render.graph_layout import Link, centres
from stamp.cli.render.graph_routes import ROW, Band, Wire, bands, box_of, lanes, links, wires

__all__ = ["MARGIN", "Box", "Curve", "Geometry", "Path", "Point"]

MARGIN: Final = 24
HEADING: Final = 78
GAP: Final = 28
"""Between two boxes of a row."""

ASIDE: Final = 20
"""From the outermost box to the first lane."""

ASIDE_WEIGHT: Final = 0.001
"""How much an event without listeners pulls: the flow goes straight down, and what ends is beside it."""

LEAST: Final = 20
MOST: Final = 76
SLOPE: Final = 0.06
"""How high the room for curves is: the more, the farther one of them goes."""

Point: TypeAlias = tuple[float, float]


class Box(NamedTuple):
    """A card or an event: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        """The x in the middle."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The y of the lower edge."""
        return self.y + self.height


class Curve(NamedTuple):
    """A line between rows that follow one another. It is bent only between the two y of `bend`."""

    event: str
    start: Point
    bend: tuple[float, float]
    end: Point
    is_arrow: bool


class Path(NamedTuple):
    """A line by way of a lane, to one of the targets of its wire."""

    wire: Wire
    points: tuple[Point, ...]


class _Tops(NamedTuple):
    """The y at which the parts of a layer begin."""

    arriving: float
    cards: float
    leaving: float
    events: float


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where everything of a flow is drawn."""

    flow: Flow

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """The cards of the steps."""
        return {step.name: card(step, self.flow) for step in self.flow.steps}

    @cached_property
    def boxes(self) -> Mapping[str, Box]:
        """The boxes of steps and events, by `box_of`."""
        found = {}
        for layer, rows in self._rows.items():
            for row, top in zip(rows, (self._tops[layer].cards, self._tops[layer].events), strict=True):
                for box in row:
                    width, height = self._sizes[box]
                    found[box] = Box(self._centres[box] - width / 2, top, width, height)
        return found

    @property
    def curves(self) -> Iterator[Curve]:
        """The lines from steps to the events below them, and from there to the steps of the next layer."""
        for band, pairs in self._direct.items():
            top = self._top(band)
            rows = 0 if band.is_in else self._room(band)
            for source, target, event in pairs:
                above, below = self.boxes[source], self.boxes[target]
                bend = top + rows, top + rows + self._slack(band)
                yield Curve(event.name, (above.centre, above.bottom), bend, (below.centre, below.y), band.is_in)

    @property
    def paths(self) -> Iterator[Path]:
        """The lines by way of lanes: up and down from where one leaves, and to each target from the part that is drawn already."""
        for wire in self._wires:
            source, row, lane = self.boxes[wire.source], self._row(wire, wire.leaves), self._lane(wire)
            x = source.x + PADDING if wire.is_left else source.x + source.width - PADDING
            start: tuple[Point, ...] = ((x, source.bottom), (x, row), (lane, row))
            for is_up in (True, False):
                ends = [target for target in wire.targets if (target[1].rank <= wire.leaves.rank) is is_up]
                yield from self._branches(wire, start, ends)
                start = ((lane, row),) if ends else start

    def _branches(self, wire: Wire, start: tuple[Point, ...], ends: Iterable[tuple[str, Band]]) -> Iterator[Path]:
        lane = self._lane(wire)
        row = start[-1][1]
        drawn: set[Band] = set()
        far = sorted(ends, key=lambda end: (-abs(self._row(wire, end[1]) - row), -abs(self._port(wire, end[0]) - lane)))
        for target, band in far:
            to, arriving, end = self._port(wire, target), self._row(wire, band), self.boxes[target].y
            begin = (
                ((to, arriving),) if band in drawn else (*(() if drawn else start), (lane, arriving), (to, arriving))
            )
            drawn.add(band)
            yield Path(wire, (*begin, (to, end)))

    @cached_property
    def size(self) -> Point:
        """The width and the height of the whole."""
        right = max(box.x + box.width for box in self.boxes.values())
        bottom = max(tops.events + PILL * bool(self._rows[layer][1]) for layer, tops in self._tops.items())
        return right + self._aside(is_left=False), bottom + MARGIN

    # -- what is where in the graph

    @cached_property
    def _layers(self) -> Mapping[str, int]:
        """The layer of each box. An event is below its first publisher, or above its first listener when nobody publishes it."""
        found = {box_of(step): step.layer for step in self.flow.steps}
        layer = {step.name: step.layer for step in self.flow.steps}
        for event in self.flow.events:
            near = event.publishers or event.listeners
            found[box_of(event)] = min(layer[step] for step in near) - (not event.publishers)
        return found

    @cached_property
    def _rows(self) -> Mapping[int, tuple[list[str], list[str]]]:
        """The boxes of the cards and of the events of each layer; the last one is for lines that leave what is above."""
        layers = range(min(self._layers.values()), max(self._layers.values()) + 2)
        found: dict[int, tuple[list[str], list[str]]] = {layer: ([], []) for layer in layers}
        for box, layer in self._layers.items():
            found[layer][box.startswith("event ")].append(box)
        return found

    @cached_property
    def _wires(self) -> tuple[Wire, ...]:
        return tuple(wires(self.flow, self._layers))

    @cached_property
    def _direct(self) -> Mapping[Band, list[tuple[str, str, Event]]]:
        found: defaultdict[Band, list[tuple[str, str, Event]]] = defaultdict(list)
        for source, target, event in links(self.flow, self._layers):
            is_in = target != box_of(event)
            found[Band(self._layers[target], is_in=is_in)].append((source, target, event))
        return found

    # -- x

    @cached_property
    def _sizes(self) -> Mapping[str, tuple[float, float]]:
        sizes = {box_of(step): self.cards[step.name][2:] for step in self.flow.steps}
        return sizes | {box_of(event): (pill(event), PILL) for event in self.flow.events}

    @cached_property
    def _centres(self) -> Mapping[str, float]:
        rows = [row for rows in self._rows.values() for row in rows]
        joined = [
            Link(source, target, 1.0 if event.listeners else ASIDE_WEIGHT)
            for pairs in self._direct.values()
            for source, target, event in pairs
        ]
        found = centres(rows, joined, {box: width for box, (width, _) in self._sizes.items()}, gap=GAP)
        left = min(found[box] - self._sizes[box][0] / 2 for box in found)
        return {box: x - left + self._aside(is_left=True) for box, x in found.items()}

    @cached_property
    def _lanes(self) -> Mapping[str, int]:
        return lanes(self._wires)

    def _aside(self, *, is_left: bool) -> float:
        """Return how wide the room beside the boxes is."""
        number = max((self._lanes[wire.key] + 1 for wire in self._wires if wire.is_left is is_left), default=0)
        return MARGIN + (ASIDE + ROW * (number - 1) if number else 0)

    def _lane(self, wire: Wire) -> float:
        beyond = ASIDE + ROW * self._lanes[wire.key]
        if wire.is_left:
            return min(box.x for box in self.boxes.values()) - beyond
        return max(box.x + box.width for box in self.boxes.values()) + beyond

    def _port(self, wire: Wire, target: str) -> float:
        """Return the x at which a line arrives: the first one in the order of the rows is the one most to the left."""
        same = [
            each.key
            for each in self._wires
            if each.is_left is wire.is_left and target in (box for box, _ in each.targets)
        ]
        box = self.boxes[target]
        if wire.is_left:
            return box.x + PADDING + ROW * (len(same) - 1 - same.index(wire.key))
        return box.x + box.width - PADDING - ROW * (len(same) - 1 - same.index(wire.key))

    # -- y

    @cached_property
    def _bands(self) -> Mapping[Band, list[str]]:
        return bands(self._wires)

    @cached_property
    def _tops(self) -> Mapping[int, _Tops]:
        found, y = {}, float(HEADING)
        for layer, (steps, events) in self._rows.items():
            arriving, leaving = Band(layer, is_in=True), Band(layer, is_in=False)
            cards = y + self._slack(arriving) + self._room(arriving)
            below = cards + max((self._sizes[box][1] for box in steps), default=0)
            pills = below + self._room(leaving) + self._slack(leaving)
            found[layer] = _Tops(y, cards, below, pills)
            y = pills + (PILL if events else 0)
        return found

    def _top(self, band: Band) -> float:
        return self._tops[band.layer].arriving if band.is_in else self._tops[band.layer].leaving

    def _room(self, band: Band) -> float:
        """Return how high the room for lines side by side is."""
        return ROW * (len(self._bands[band]) + 1) if band in self._bands else 0

    def _row(self, wire: Wire, band: Band) -> float:
        before = self._slack(band) if band.is_in else 0
        return self._top(band) + before + ROW * (self._bands[band].index(wire.key) + 1)

    def _slack(self, band: Band) -> float:
        """Return how high the room for curves is."""
        far = [abs(self._centres[source] - self._centres[target]) for source, target, _ in self._direct.get(band, ())]
        return min(MOST, LEAST + SLOPE * max(far)) if far else 0
