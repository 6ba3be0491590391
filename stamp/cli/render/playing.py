"""How a play looks while it goes on, and what is said at its end."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from stamp.cli.playing import Tally
from stamp.cli.render.findings import REPORTED
from stamp.cli.render.quantity import counted, duration, size
from stamp.cli.render.visible import visible

__all__ = ["Meter", "summary"]


class Meter:
    """Tells problems as they come, and on a terminal how far the reading of `stream` is: of `total` bytes, if that is known."""

    def __init__(self, console: Console, stream: IO[bytes], total: int | None) -> None:
        self._console, self._stream, self._is_measured = console, stream, total is not None
        columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) if total else (MofNCompleteColumn(),)
        self._progress = Progress(
            TextColumn("playing"), *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task("", total=total)
        self._problems = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()
        if self._problems > REPORTED:
            self._console.print(f"... and {counted(self._problems - REPORTED, 'problem')} more")

    def advance(self) -> None:
        """Tell that an event more is done."""
        if self._progress.disable:
            return
        if self._is_measured:
            self._progress.update(self._task, completed=self._stream.tell())
        else:
            self._progress.advance(self._task)

    def report(self, problem: str) -> None:
        """Tell what is wrong with a line, or what a step could not process: the first of them, in full."""
        self._problems += 1
        if self._problems <= REPORTED:
            self._console.print(Text(visible(problem)), soft_wrap=True)


def summary(tally: Tally, seconds: float, *, out: str, rejects: str) -> Text:
    """Return what became of an input."""
    took = f" in {duration(timedelta(seconds=seconds))}"
    rate = f", {tally.runs / seconds:,.0f} a second" if tally.runs else ""
    said = [counted(tally.runs, "run") + took + rate]
    width = max(map(len, tally.finals), default=0)
    said += [f"  {event:<{width}}  {number:>7,}" for event, number in tally.finals.most_common()]
    if tally.silent:
        said.append(
            f"  {counted(tally.silent, 'run')} ended in a step that publishes nothing: they are in no final event"
        )
    said += [
        f"  {counted(number, 'event')} for {step}, whose code is in none of these modules: name its module, too"
        for step, number in tally.waiting.items()
    ]
    if tally.behind:
        said.append(f"  behind that, and in none of these modules either: {', '.join(tally.behind)}")
    said.append(f"{out}: {counted(tally.finals.total(), 'final event')}, {size(tally.bytes)}")
    rejected = [
        counted(number, noun)
        for number, noun in (
            (tally.bad_lines, "bad line"),
            (tally.parked, "parked message"),
            (tally.waiting.total(), "waiting event"),
        )
        if number
    ]
    if rejected:
        said.append(f"{rejects}: {' and '.join(rejected)}")
    return Text("\n".join(map(visible, said)))
