"""A flow as a drawing that needs no other program: steps as cards in layers, events between them, dashes from who writes to who reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from stamp.cli.flow import Event, Flow, Step
from stamp.cli.render.graph_card import LINE, NAME, PADDING, Line
from stamp.cli.render.graph_geometry import MARGIN, Box, Curve, Geometry, Path, Point
from stamp.cli.render.graph_routes import box_of
from stamp.cli.render.graph_style import READERS, STYLE
from stamp.cli.render.visible import visible

__all__ = ["render"]

ARROW: Final = 6
RADIUS: Final = 5


def render(flow: Flow) -> str:
    """Return an SVG document, for a light page or a dark one."""
    return "\n".join(_Drawing(flow).lines())


class _Drawing:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._geometry = Geometry(flow)
        self._events = {event.name: event for event in flow.events}
        producers = [
            step.name
            for step in flow.steps
            if any(step.name == read.producer for each in flow.steps for read in each.reads)
        ]
        self._colours = {name: number % READERS for number, name in enumerate(producers)}

    def lines(self) -> Iterator[str]:
        width, height = (max(least, size) for least, size in zip((400, 120), self._geometry.size, strict=True))
        name = _text(self._flow.workflow)
        yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}" role="img">'
        yield f"  <title>The workflow {name}: its steps, the events between them, and who reads what</title>"
        yield STYLE
        yield f'  <rect class="page" x="0.5" y="0.5" width="{_n(width - 1)}" height="{_n(height - 1)}" rx="8"/>'
        yield from self._legend(name)
        for path in self._geometry.paths:
            yield from self._path(path)
        for curve in self._geometry.curves:
            yield from self._curve(curve)
        for event in self._flow.events:
            yield from _event(event, self._geometry.boxes[box_of(event)])
        for step in self._flow.steps:
            yield from self._step(step, self._geometry.boxes[box_of(step)])
        yield "</svg>"

    def _legend(self, name: str) -> Iterator[str]:
        yield f'  <text class="title" x="{MARGIN}" y="32">{name}</text>'
        yield f'  <path class="event" d="M{MARGIN} 50h22"/><text class="soft" x="{MARGIN + 28}" y="54">events</text>'
        x = MARGIN + 90
        yield f'  <path class="read r0" d="M{x} 50h22"/><text class="soft" x="{x + 28}" y="54">who reads what of whom</text>'

    def _path(self, path: Path) -> Iterator[str]:
        wire = path.wire
        kind = _kind(wire.event) if wire.event is not None else f"read r{self._colours[wire.read or '']}"
        yield f'  <path class="{kind}" d="{_rounded(path.points)}"/>'
        yield _arrow(path.points[-1], kind)

    def _curve(self, curve: Curve) -> Iterator[str]:
        (x, y), (to, end), (bent, straight) = curve.start, curve.end, curve.bend
        middle = (bent + straight) / 2
        kind = _kind(self._events[curve.event])
        bow = f"C{_n(x)} {_n(middle)} {_n(to)} {_n(middle)} {_n(to)} {_n(straight)}" if abs(x - to) > 0.5 else ""
        yield f'  <path class="{kind}" d="M{_n(x)} {_n(y)}V{_n(bent)}{bow}V{_n(end)}"/>'
        if curve.is_arrow:
            yield _arrow(curve.end, kind)

    def _step(self, step: Step, box: Box) -> Iterator[str]:
        kind = "step start" if step.is_start else "step" if step.is_reached else "step lost"
        yield f'  <rect class="{kind}" {_at(box)} rx="6"/>'
        card = self._geometry.cards[step.name]
        yield f'  <text class="name" x="{_n(box.centre)}" y="{_n(box.y + 18)}">{_text(step.name)}</text>'
        for number, line in enumerate(card.lines):
            yield from self._line(line, box.x + PADDING, box.y + NAME + LINE * number + 10)

    def _line(self, line: Line, x: float, y: float) -> Iterator[str]:
        if line.kind != "read":
            yield f'  <text class="{line.kind}" x="{_n(x)}" y="{_n(y)}">{escape(line.text)}</text>'
            return
        if line.who:
            yield (
                f'  <circle class="r{self._colours[line.who]}" cx="{_n(x + 3)}" cy="{_n(y - 4)}" r="3"/>'
                if line.who in self._colours
                else ""
            )
        who = f'<tspan class="who">{escape(line.who)}</tspan> ' if line.who else ""
        yield f'  <text class="soft" x="{_n(x + 12)}" y="{_n(y)}">{who}{escape(line.text)}</text>'


def _event(event: Event, box: Box) -> Iterator[str]:
    states = {
        "failure": event.is_failure,
        "end": event.is_end,
        "lost": not event.publishers or not (event.listeners or event.is_end or event.is_failure),
    }
    kind = " ".join(["pill", *(name for name, holds in states.items() if holds)])
    yield f'  <rect class="{kind}" {_at(box)} rx="{_n(box.height / 2)}"/>'
    if event.is_end:
        inner = Box(box.x + 3, box.y + 3, box.width - 6, box.height - 6)
        yield f'  <rect class="{kind}" {_at(inner)} rx="{_n(inner.height / 2)}"/>'
    yield f'  <text class="label" x="{_n(box.centre)}" y="{_n(box.y + 15)}">{_text(event.name)}</text>'


def _kind(event: Event) -> str:
    return "event failure" if event.is_failure else "event"


def _rounded(points: Sequence[Point]) -> str:
    """Return a line along points, its corners rounded."""
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _toward(corner, before), _toward(corner, after)
        parts.append(f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
    return f"{''.join(parts)}L{_n(points[-1][0])} {_n(points[-1][1])}"


def _toward(corner: Point, other: Point) -> Point:
    """Return the point beside a corner at which it begins to be round."""
    x, y = other[0] - corner[0], other[1] - corner[1]
    length = abs(x) + abs(y)
    share = min(RADIUS, length / 2) / length if length else 0
    return corner[0] + x * share, corner[1] + y * share


def _arrow(tip: Point, kind: str) -> str:
    x, y = tip
    return f'  <path class="tip {kind}" d="M{_n(x)} {_n(y)}l{-ARROW / 2:g} {-ARROW}h{ARROW}z"/>'


def _at(box: Box) -> str:
    return f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'


def _n(number: float) -> str:
    """Return a number with at most one digit after the point."""
    return f"{number:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(visible(text))
