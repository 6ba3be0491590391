"""Bars within a table, as wide as there is room."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.style import Style
from rich.text import Text

__all__ = ["Bar", "Part"]

NARROWEST: Final = 4
WIDEST: Final = 40


class Part(NamedTuple):
    """A piece of a bar, from `begin` to `end`, both of them from 0 to 1 of the whole width."""

    begin: float
    end: float
    glyph: str
    ascii: str
    style: str


class Bar:
    """A bar of parts that follow one another; a part is at least one cell wide, unless it has no length at all."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        line = Text()
        parts = [part for part in self._parts if part.begin < part.end]
        for later, (begin, end, glyph, plain, style) in zip(reversed(range(len(parts))), parts, strict=True):
            room = width - later  # a cell for each of those that follow
            first = max(min(int(begin * width), room - 1), len(line))
            last = max(min(round(end * width), room), first + 1)
            line.append(" " * (first - len(line)))
            line.append((plain if options.ascii_only else glyph) * (last - first), Style.parse(style))
        line.truncate(width)
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(NARROWEST, min(options.max_width, WIDEST))
