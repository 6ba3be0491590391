"""All that is known of one dead letter."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from stamp.cli.reading import Reading, read
from stamp.cli.render import dead_letters
from stamp.cli.render.envelope import envelope_text
from stamp.cli.render.hexadecimal import dump
from stamp.cli.render.quantity import size
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.value import moment
from stamp.cli.render.visible import visible
from stamp.cli.source import GENEROUS
from stamp.envelope.document import document as envelope_document
from stamp.envelope.envelope import Envelope
from stamp.errors import WireError
from stamp.runtime.graveyard import Dead
from stamp.runtime.reason import ATTEMPTS, DEATHS
from stamp.schema.catalog import Catalog
from stamp.schema.values import instant

__all__ = ["ADVICE", "document", "text"]

ADVICE: Final[Mapping[str, str]] = {
    "too-large": "give the workflow larger limits and replay, or keep what is large elsewhere",
    "undecodable": "its writer has written bytes that do not fit its schema: mend the writer; it can only be discarded",
    "no-envelope": "somebody else has sent it: find out who; it can only be discarded",
    "unknown-schema": "add the contract of who wrote it to the contracts folder of this worker, then replay",
    "unreadable": "`stamp check` says which view cannot read which version: deploy a reader that can, then replay",
    "bad-schema": "mend the contracts folder of this worker, then replay",
    "missing-contribution": "make the view optional, or let its writer run first, then replay",
    "undeclared-answer": "let the handler return what its step declares, then replay",
    "unwritable-answer": "let the handler return what fits its model, then replay",
    "not-for-this-step": "compare what the step listens to with its contract and its bindings, then replay",
    "no-transaction": "its handler wants a transaction: run its step with a store (`--store URL`), then replay",
    "used-id": "start this run again under an id of its own; here it can only be discarded",
    "used-event-id": "find out who else publishes here; replay it only if it is the right one of the two",
    ATTEMPTS: "mend what its handler has met with, then replay",
    DEATHS: "workers died at it, by lack of memory or a crash: mend that, then replay",
    "delivery-limit": "its consumers died before they acknowledged it: mend that, then replay",
}
"""What to do about each reason."""


def text(dead: Dead, catalog: Catalog) -> RenderableType:
    """Return a letter for people."""
    letter = dead.letter
    parts: list[RenderableType] = [_facts(dead)]
    if letter.traceback:
        parts += [Text(), Text("Traceback", "bold"), *_lines(letter.traceback)]
    if dead.message.headers:
        parts += [Text(), _pairs(dead.message.headers, "Headers")]
    return Group(*parts, Text(), *_body(dead.message.body, catalog))


def _facts(dead: Dead) -> RenderableType:
    message, letter = dead.message, dead.letter
    facts = {
        "queue": dead.queue,
        "run": f"{message.workflow} {message.workflow_id}" if message.workflow_id else "",
        "event": message.event,
        "reason": letter.reason,
        "error": dead_letters.error_line(dead),
        "advice": ADVICE.get(letter.reason, ""),
        "attempts": "" if dead.attempts is None else f"{dead.attempts:,}",
        "arrived": "" if dead.first_at is None else moment(instant(dead.first_at)),
        "died": "" if dead.last_at is None else moment(instant(dead.last_at)),
        "written as": letter.writer or "",
        "read as": letter.reader or "",
    }
    return Group(Text(message.event_id.hex(), "bold"), _pairs({name: value for name, value in facts.items() if value}))


def _pairs(pairs: Mapping[str, str], title: str | None = None) -> FittingTable:
    table = FittingTable(Col(), Col(share=1), title=title)
    for name, value in pairs.items():
        table.add_row(Text(visible(name), "dim"), Text(visible(value)))
    return table


def _lines(told: str) -> Iterator[Text]:
    return (Text(f"  {visible(line)}") for line in told.splitlines())


def _body(body: bytes, catalog: Catalog) -> Iterator[RenderableType]:
    reading = _reading(body, catalog)
    if isinstance(reading, Reading):
        yield envelope_text(reading)
        told = {str(error): 1 for error in reading.unread.values()}
        yield from (Text(visible(f"cannot be read: {each}"), "yellow") for each in told)
        return
    yield Text("Body", "bold")
    yield Text(visible(f"  {size(len(body))}, no envelope: {reading}"))
    yield dump(body)


def _reading(body: bytes, catalog: Catalog) -> Reading | WireError:
    try:
        return read(Envelope.from_bytes(body, catalog=catalog, limits=GENEROUS))
    except WireError as error:
        return error


def document(dead: Dead, catalog: Catalog) -> dict[str, Any]:
    """Return a letter in JSON values: `envelope` as `stamp decode` gives it, null with a `problem` if it is none; `body` in base64."""
    message, letter = dead.message, dead.letter
    reading = _reading(message.body, catalog)
    return dead_letters.document(dead) | {
        "traceback": letter.traceback,
        "writer": letter.writer,
        "reader": letter.reader,
        "headers": dict(message.headers),
        "body": b64encode(message.body).decode(),
        "envelope": envelope_document(reading.envelope) if isinstance(reading, Reading) else None,
        "problem": None if isinstance(reading, Reading) else str(reading),
    }
