"""Why a message is dead."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from stamp.store.record import clean
from stamp.store.statement import Statement

__all__ = ["Letter", "write"]


class Letter(NamedTuple):
    """What is written on a dead letter, for the person who has to decide about it.

    `reason` is a code, the same for the same kind of trouble. `error_type`, `error_message` and `traceback` are of the last attempt.
    `writer` and `reader` name the schemas that did not fit, where that is the reason. Long texts are cut when they are stored.
    """

    reason: str
    error_type: str
    error_message: str
    traceback: str = ""
    writer: str | None = None
    reader: str | None = None


def write(tx: Connection, letter: Letter, *, consumer: str, event_id: bytes, now: int) -> None:
    """Write the letter of an event in the inbox of `consumer`."""
    WRITE.execute(tx, consumer=consumer, event_id=event_id, now=now, **_bounded(letter))


def _bounded(letter: Letter) -> dict[str, str | None]:
    """Return the columns of a letter, none longer than a person would read; of a traceback the end says the most."""
    return {
        "reason": clean(letter.reason),
        "error_type": clean(letter.error_type)[:200],
        "error_message": clean(letter.error_message)[:16_000],
        "traceback": clean(letter.traceback)[-16_000:],
        "writer": None if letter.writer is None else clean(letter.writer),
        "reader": None if letter.reader is None else clean(letter.reader),
    }


WRITE = Statement(
    """
    INSERT INTO stamp_dead_letter
        (consumer, event_id, reason, error_type, error_message, traceback, writer, reader, attempts, first_at, last_at)
    SELECT consumer, event_id, :reason, :error_type, :error_message, :traceback, :writer, :reader, attempts, arrived_at, :now
    FROM stamp_inbox WHERE consumer = :consumer AND event_id = :event_id
    """
)
