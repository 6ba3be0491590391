"""`stamp start`: the first events of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import click

from stamp.cli.blame import on_line
from stamp.cli.input import INPUT, name_of, opened
from stamp.cli.lines import Line, lines
from stamp.cli.render.console import tell
from stamp.cli.render.findings import REPORTED
from stamp.cli.render.quantity import counted
from stamp.cli.service import broker_option, durable_store_url, open_broker, open_store, store_option
from stamp.cli.starts import ID, LINE_OF_A_BYTE, Starts, starting_step
from stamp.cli.target import load
from stamp.errors import InputError, StampError, UnsentError, UsedIdError
from stamp.runtime.beginning import used
from stamp.runtime.publisher import Publisher
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["command"]

TOGETHER: Final = 100
"""How many events are published at once."""


@click.command(short_help="Publish the first events of runs.")
@click.argument("target", metavar="MODULE:WORKFLOW")
@click.option("--json", "text", metavar="JSON", help="One run: what the starting step writes, and its workflow_id.")
@click.option("--input", "source", metavar="FILE", type=INPUT, help="JSON Lines: a run a line; - is standard input.")
@click.option("--start", metavar="STEP", help="The starting step, when the workflow has several.")
@broker_option
@store_option
def command(
    *, target: str, text: str | None, source: Path | None, start: str | None, broker: str | None, store: str | None
) -> None:
    """Publish the first events of runs, for the workers of `stamp run`.

    Broker and store must be those that the workers have. When the command has ended well, the broker or the store has the events.
    If the broker cannot be reached they are stored all the same, unless there is no store: a worker that shares the store sends them, and
    so does this command when it is called again.

    The id of a run is used once. Starting a run again with the same content is harmless: it is said to be started already. With other
    content it is a bad line, as far as the store knows the id: for a week. Without a store nobody knows here.

    A bad line is told and the others are started. Exit status: 1 if there was one; 2 if the broker does not have the events.

    Example: stamp start examples.ticket:ticket --input examples/ticket/tickets.jsonl
    """
    if (text is None) == (source is None):
        raise InputError("expected either --json or --input")
    workflow = load(target)
    workflow.check()
    starts = Starts(workflow, starting_step(workflow, start))
    carrier = open_broker(broker)
    with ExitStack() as stack:
        given = [_line(text)] if source is None else _lines(stack.enter_context(opened(source)), workflow)
        database = None if durable_store_url(store) is None else stack.enter_context(open_store(store))
        publisher = stack.enter_context(Publisher(workflow, broker=carrier, store=database))
        starting = Starting(starts, name="--json" if source is None else name_of(source))
        where = " and ".join(each for each in (carrier and carrier.address, database and database.url) if each)
        try:
            for group in _groups(starting.events(given)):
                starting.publish(group, publisher)
        except StampError:
            _tell(starting, where, is_over=False)
            raise
    _tell(starting, where, is_over=starting.unsent is None)
    if starting.unsent is not None:
        raise UnsentError(starting.unsent.message, path=counted(starting.stored, "run"))
    if starting.bad:
        raise click.exceptions.Exit(1)


def _tell(starting: Starting, where: str, *, is_over: bool) -> None:
    """Say what became of the lines; that there was nothing, only when it `is_over`."""
    if starting.bad > REPORTED:
        tell(f"... and {counted(starting.bad - REPORTED, 'bad line')} more")
    if starting.repeated:
        tell(f"{counted(starting.repeated, 'run')} already started with the same content")
    if starting.started or (is_over and not starting.repeated):
        tell(f"{counted(starting.started, 'run')} started on {where}")


def _line(text: str | None) -> Line:
    """Return what is given as an argument, however many lines it has there; bytes that are no text come as they were."""
    return Line(1, (text or "").encode(errors="surrogateescape"))


def _lines(stream: IO[bytes], workflow: Workflow) -> Iterator[Line]:
    return lines(stream, LINE_OF_A_BYTE * workflow.limits.contribution)


class Starting:
    """Starts the runs of the lines of one input, called `name`; tells which lines are bad, and counts all."""

    def __init__(self, starts: Starts, *, name: str) -> None:
        self.bad = self.started = self.repeated = self.stored = 0
        self.unsent: UnsentError | None = None
        self._starts, self._name = starts, name

    def events(self, given: Iterable[Line]) -> Iterator[Outgoing]:
        """Yield the first event of each good line."""
        for line in given:
            try:
                first = self._starts.start(line)
            except Exception as error:  # noqa: BLE001 - validators of a model raise what they like: it is told, and the others go on
                self._refuse(error, line.number)
            else:
                yield first

    def publish(self, group: Sequence[Outgoing], publisher: Publisher) -> None:
        """Publish first events; those whose ids are used are bad lines, and the others are published, or stored at least."""
        try:
            repeated = publisher.publish(*group)
        except UsedIdError as error:
            for each in error.workflow_ids:
                self._refuse(used([each], path=ID), self._starts.line_of(each))
            self.publish([each for each in group if each.headers["ce-subject"] not in error.workflow_ids], publisher)
        except UnsentError as error:
            self.unsent = error
            self.stored += len(group)
        else:
            self.repeated += len(repeated)
            self.started += len(group) - len(repeated)

    def _refuse(self, error: Exception, line: int) -> None:
        self.bad += 1
        if self.bad <= REPORTED:
            tell(str(on_line(error, self._name, line)))


def _groups(events: Iterator[Outgoing]) -> Iterator[list[Outgoing]]:
    group: list[Outgoing] = []
    for each in events:
        group.append(each)
        if len(group) == TOGETHER:
            yield group
            group = []
    if group:
        yield group
