"""What stands in the boxes of a drawn flow, and how large that makes them. Letters are those of a monospaced font."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final, NamedTuple

from stamp.cli.flow import Event, Flow, Read, Step
from stamp.cli.render.visible import visible

__all__ = ["LINE", "NAME", "PADDING", "PILL", "Card", "Line", "card", "letters", "pill"]

LETTER: Final = 0.63
"""The width of a letter for each px of its size: no usual monospaced font has more."""

NAME: Final = 26
"""px from the top of a card to what is below its name."""

LINE: Final = 15
PADDING: Final = 12
PILL: Final = 22
"""The height of an event."""

PORTS: Final = 9
"""px that a line needs that arrives at a card."""

MAX_LETTERS: Final = 32


class Line(NamedTuple):
    """A line of a card. The first one of those about what is read begins with whom it is read of."""

    text: str
    who: str = ""
    kind: str = "read"


class Card(NamedTuple):
    """The box of a step."""

    name: str
    lines: tuple[Line, ...]
    width: float
    height: float


def card(step: Step, flow: Flow) -> Card:
    """Return the box of a step: its name, what it reads, and how it fails."""
    name, lines = visible(step.name), tuple(_lines(step, flow))
    longest = max((letters(f"{line.who} {line.text}", 11) + 12 * (line.kind == "read") for line in lines), default=0)
    width = max(letters(name, 13), longest, 2 * PORTS * len(step.reads), 84) + 2 * PADDING
    return Card(name, lines, width, NAME + LINE * len(lines) + (8 if lines else 6))


def pill(event: Event) -> float:
    """Return the width of the box of an event."""
    return letters(visible(event.name), 11) + 22


def letters(text: str, size: float) -> float:
    """Return the width of text of a size, in px."""
    return len(text) * size * LETTER


def _lines(step: Step, flow: Flow) -> Iterator[Line]:
    for read in step.reads:
        yield from _read(read, is_missing=read.producer in flow.missing)
    if step.fails is not None:
        yield Line(f"fails: {visible(step.fails)}", kind="fails")
    if not step.is_reached:
        yield Line("no event reaches it", kind="lost")


def _read(read: Read, *, is_missing: bool) -> Iterator[Line]:
    who = visible(read.producer)
    text = visible(", ".join(read.fields)) or "no field"
    notes = " (may be absent)" * read.is_optional + " (there is no such step)" * is_missing
    first, *rest = wrap(
        text + notes, MAX_LETTERS, initial_indent="x" * (len(who) + 1), break_long_words=False, break_on_hyphens=False
    ) or [""]
    yield Line(first[len(who) + 1 :], who)
    yield from map(Line, rest)
