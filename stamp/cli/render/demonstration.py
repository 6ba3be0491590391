"""How the example is shown to somebody who has never heard of stamp."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.demonstration import Demonstration
from stamp.cli.reading import Reading
from stamp.cli.render.bars import Bar, Part
from stamp.cli.render.envelope import timeline
from stamp.cli.render.quantity import counted, duration
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.value import short, value_text
from stamp.cli.render.visible import visible
from stamp.envelope.state import fold
from stamp.workflow import Workflow

__all__ = ["demonstration", "try_next"]

WHAT_IT_IS: Final = (
    "stamp lets the events of a workflow carry its state: each service reads the few fields that it declared, adds its own "
    "and publishes the next event, so that the last event tells the whole story."
)
HOW_IT_GROWS: Final = (
    "Each event is the one before it, byte for byte, and what one service added. `ticket 1/8`: of the ticket's 8 fields the service "
    "declared one; it decodes no more than that."
)


def demonstration(shown: Demonstration) -> RenderableType:
    """Return what was played: one run in detail, then all of them."""
    envelope = shown.shown.envelope
    subject = shown.shown.written[0].data["subject"]
    return Group(
        Text(WHAT_IT_IS),
        _title(f"One run, ticket {envelope.workflow_id}: {subject}"),
        Text(HOW_IT_GROWS, "dim"),
        _growth(shown.workflow, shown.shown),
        _title("The timeline: each event waited (pale), then its service worked (solid)"),
        timeline(shown.shown, title=None),
        _title("What the last event knows, and who wrote it"),
        _state(shown.shown),
        _title(f"{counted(shown.tally.runs, 'ticket')} over kombu's memory transport"),
        _outcomes(shown),
    )


def _title(text: str) -> Text:
    return Text(f"\n{visible(text)}", "bold")


def _growth(workflow: Workflow, reading: Reading) -> FittingTable:
    """Return how the envelope grew, and how little each step read of it."""
    table = FittingTable(
        Col("event"),
        Col("its service read", least=72, share=2),
        Col("added", justify="right", least=36),
        Col("bytes", justify="right"),
        Col(share=1, least=48),
    )
    envelope = reading.envelope
    sizes = [0, *(len(bytes(envelope.at(number))) for number in range(len(envelope.contributions)))]
    written = {each.contribution.step: each.data for each in reading.written.values()}
    for each, (before, after) in zip(envelope.contributions, pairwise(sizes), strict=True):
        table.add_row(
            Text(visible(each.event)),
            Text(_reads(workflow, each.step, written), "dim"),
            f"+{after - before:,}",
            f"{after:,}",
            Bar(
                Part(0, before / sizes[-1], "░", ".", "dim"),
                Part(before / sizes[-1], after / sizes[-1], "█", "#", "green"),
            ),
        )
    return table


def _reads(workflow: Workflow, step: str, written: Mapping[str, Mapping[str, object]]) -> str:
    """Return whom a step reads, and how many of the fields that are there."""
    reads = workflow.steps[step].reads
    if not reads:
        return "(a customer asks)"
    return ", ".join(f"{read.step} {len(read.view.model.model_fields)}/{len(written[read.step])}" for read in reads)


def _state(reading: Reading) -> FittingTable:
    """Return the flat state in short: the fields of each writer."""
    table = FittingTable(Col("by"), Col("after", 60, "right"), Col("fields", share=1))
    fields = fold(reading.written.values()).items()
    for source, group in groupby(fields, key=lambda field: field[1][1]):
        text = Text()
        for name, (value, _) in group:
            text.append(f"{visible(name)}=", "cyan").append(f"{short(value_text(value), VALUE)}  ")
        text.rstrip()
        version = "" if source.version is None else f" v{source.version}"
        after = next(each.total for each in reading.envelope.timeline() if each.step == source.step)
        table.add_row(Text(f"{visible(source.step)}{version}"), duration(after), text)
    return table


VALUE: Final = 48
"""Characters of one value."""


def _outcomes(shown: Demonstration) -> Group:
    tally = shown.tally
    took = duration(timedelta(seconds=shown.seconds))
    rate = f"{shown.hops / shown.seconds:,.0f} hops a second" if shown.seconds else ""
    table = FittingTable(Col(), Col(justify="right"), Col(share=1, least=40))
    for event, number in tally.finals.most_common():
        share = number / tally.runs
        table.add_row(Text(visible(event)), f"{number:,}", Bar(Part(0, share, "█", "#", "green")))
    ends = f"{counted(tally.runs, 'ticket')} in, {counted(tally.finals.total(), 'final event')} out"
    return Group(Text(f"{ends}: {counted(shown.hops, 'hop')} in {took}, {rate}."), table)


def try_next(commands: Iterable[tuple[str, str]]) -> RenderableType:
    """Return command lines and what they are for."""
    text = _title("Try next")
    for command, purpose in commands:
        text.append(f"\n  # {purpose}", "not bold dim").append(f"\n  {visible(command)}", "not bold")
    return text
