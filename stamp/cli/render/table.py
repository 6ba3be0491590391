"""Tables that say less where there is less room, instead of saying everything in columns of three letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table

__all__ = ["Col", "FittingTable"]


@dataclass(frozen=True, slots=True)
class Col:
    """A column that is shown from a width of `least` cells on. Those with a `share` divide the room that the others leave."""

    name: str = ""
    least: int = 0
    justify: Literal["left", "right"] = "left"
    overflow: Literal["fold", "ellipsis"] = "fold"
    share: int | None = None


class FittingTable:
    """A table without lines, which would take room and say nothing."""

    def __init__(self, *columns: Col, title: str | None = None) -> None:
        self._columns, self._title = columns, title
        self._rows: list[tuple[RenderableType, ...]] = []

    def add_row(self, *cells: RenderableType) -> None:
        """Add a row, with a cell for each column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(
            title=self._title,
            title_justify="left",
            title_style="bold",
            header_style="dim",
            show_header=any(column.name for column in self._columns),
            box=None,
            expand=True,
        )
        shown = [number for number, column in enumerate(self._columns) if column.least <= options.max_width]
        is_shared = any(self._columns[number].share for number in shown)
        for column in (self._columns[number] for number in shown):
            table.add_column(
                column.name,
                justify=column.justify,
                overflow=column.overflow,
                no_wrap=column.overflow == "ellipsis",
                ratio=column.share,
                max_width=None if column.share or not is_shared else max(4, options.max_width // 3),
            )
        for row in self._rows:
            table.add_row(*(row[number] for number in shown))
        yield table
