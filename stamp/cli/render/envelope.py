"""An envelope for people: history, timeline, state."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.reading import Reading
from stamp.cli.render.bars import Bar, Part
from stamp.cli.render.quantity import counted, duration, size
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.value import key_fields, moment, short, value_text
from stamp.cli.render.visible import visible
from stamp.envelope.contribution import Outcome, encode
from stamp.envelope.state import FAILURE, fold
from stamp.envelope.timeline import Moment
from stamp.schema.values import instant

__all__ = ["envelope_text", "history", "state", "timeline"]

LONGEST: Final = 240
"""Characters of one value; the JSON form has all of them, and of why a step failed this one, too."""

STYLES: Final = {Outcome.COMPLETED: "", Outcome.FAILED: "bold red", Outcome.COMPENSATED: "yellow"}


def envelope_text(reading: Reading) -> RenderableType:
    """Return all that is to say about an envelope."""
    parts: list[RenderableType] = [heading(reading), Text(), history(reading), Text(), timeline(reading)]
    if reading.written:
        parts += [Text(), state(reading)]
    return Group(*parts)


def heading(reading: Reading) -> Text:
    """Return what the header says."""
    envelope = reading.envelope
    text = Text()
    text.append(visible(f"{envelope.workflow} {envelope.workflow_id}"), "bold")
    number = len(envelope.contributions)
    text.append(
        f"\n  {counted(number, 'contribution')}, {size(len(bytes(envelope)))}, started {moment(instant(envelope.started_at))}"
    )
    for name, value in envelope.attributes.items():
        text.append(f"\n  {visible(name)}: {short(visible(value), LONGEST)}")
    return text


def history(reading: Reading) -> FittingTable:
    """Return what each step contributed, in the order in which it came about."""
    table = FittingTable(
        Col("#", justify="right"),
        Col("step", least=60),
        Col("event"),
        Col("outcome", least=40),
        Col("v", justify="right", least=60),
        Col("bytes", justify="right"),
        Col("fields", overflow="ellipsis", share=1, least=72),
        title="History",
    )
    for number, each in enumerate(reading.envelope.contributions):
        written = reading.written.get(number)
        version = None if written is None else written.version
        table.add_row(
            str(number),
            Text(visible(each.step)),
            Text(visible(each.event)),
            Text(each.outcome.lower(), STYLES[each.outcome]),
            "" if version is None else str(version),
            f"{len(encode(each)):,}",
            Text(each.payload[:LONGEST].hex() if written is None else key_fields(written.data), "dim"),
        )
    return table


def timeline(reading: Reading, title: str | None = "Timeline") -> FittingTable:
    """Return when each step worked, and how long its message waited before."""
    times = (Col(name, least, "right") for name, least in (("queued", 50), ("working", 40), ("total", 0)))
    table = FittingTable(Col("step"), *times, Col(share=1, least=60), title=title)
    moments = reading.envelope.timeline()
    whole = max((each.total for each in moments), default=timedelta())
    for each in moments:
        table.add_row(
            Text(visible(each.step)),
            *(duration(time) for time in (each.queued, each.working, each.total)),
            time_bar(each, whole),
        )
    return table


def time_bar(each: Moment, whole: timedelta) -> Bar:
    """Return the part of the whole time in which a step's message waited, and in which it worked."""
    if not whole:
        return Bar()
    begin, received, end = (
        (each.total - back) / whole for back in (each.working + each.queued, each.working, timedelta())
    )
    return Bar(Part(max(begin, 0), received, "░", ".", "dim"), Part(max(received, 0), end, "█", "#", "cyan"))


def state(reading: Reading) -> FittingTable:
    """Return every field with its latest value, and who wrote that."""
    table = FittingTable(
        Col("field"),
        Col("written by", least=50),
        Col("after", justify="right", least=72),
        Col("value", share=1),
        title="State",
    )
    began = instant(reading.envelope.started_at)
    for name, (value, source) in fold(reading.written.values()).items():
        by = visible(source.step) + ("" if source.version is None else f" v{source.version}")
        table.add_row(
            Text(visible(name)),
            Text(by),
            duration(source.completed_at - began),
            Text(value_text(value) if name.endswith(FAILURE) else short(value_text(value), LONGEST)),
        )
    return table
