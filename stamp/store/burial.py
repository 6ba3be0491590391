"""Messages that were never work become dead letters: those that are refused, and rows that nobody can read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from stamp.errors import WireError
from stamp.store import arrival, record
from stamp.store.letter import Letter, write
from stamp.store.message import Message
from stamp.store.statement import Statement

__all__ = ["bury", "bury_row"]

LOG: Final = logging.getLogger("stamp.store")

NO_ENVELOPE: Final = "no-envelope"


def bury(tx: Connection, consumer: str, message: Message, letter: Letter, *, now: int) -> bool:
    """Put a message that was never work among the dead letters, and tell whether it is new: what the inbox has already stays as it is."""
    if not arrival.put(tx, [(consumer, message)], now=now):
        return False
    BURY.execute(tx, consumer=consumer, event_id=message.event_id)
    write(tx, letter, consumer=consumer, event_id=message.event_id, now=now)
    return True


def bury_row(tx: Connection, consumer: object, columns: Sequence[Any], error: WireError, *, now: int) -> None:
    """Put what the `columns` of a message hold among the dead letters of `consumer`. The row itself is the caller's to remove."""
    queue = record.readable_text(consumer)
    message = record.remains(columns, queue)
    bury(tx, queue, message, Letter(NO_ENVELOPE, type(error).__name__, str(error)), now=now)
    LOG.error(
        "%s: dead letter (%s): %s", record.clean(queue), NO_ENVELOPE, error, extra={"event_id": message.event_id.hex()}
    )


BURY: Final = Statement("UPDATE stamp_inbox SET state = 3 WHERE consumer = :consumer AND event_id = :event_id")
