"""Two events of one id that say different things: the first is taken, the second becomes a dead letter, and nobody overlooks it.

An id follows from the work that an event answers, so this is no repeat. One of the two is forged, or a handler that was called twice gave two answers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from stamp.errors import UsedEventIdError
from stamp.runtime.arrival import own_id
from stamp.runtime.reason import letter
from stamp.store import dead_letters, inbox
from stamp.store.message import Message

__all__ = ["put", "used_event_id"]

LOG: Final = logging.getLogger("stamp.conflict")


def put(transaction: Connection, entries: Sequence[tuple[str, Message]], *, now: int) -> None:
    """Put messages into the inboxes of consumers; among their dead letters what has the id of another event there."""
    if inbox.put(transaction, entries, now=now) == len(entries):
        return
    for consumer, message in inbox.others(transaction, entries):
        error = used_event_id(message)
        renamed = message._replace(event_id=own_id(consumer, message.body))
        if dead_letters.bury(transaction, consumer, renamed, letter(error), now=now):
            described = {"workflow_id": message.workflow_id, "event_id": message.event_id.hex()}
            LOG.error("%s: dead letter (used-event-id): %s", consumer, error, extra=described)


def used_event_id(message: Message) -> UsedEventIdError:
    """Return the error that another event has the id of `message`."""
    return UsedEventIdError(
        f"expected an event of an id of its own, or the same event again, got {message.event_id.hex()}, under which other content "
        "was taken before: see who else publishes to this workflow, or whether a handler answers otherwise when it is called again"
    )
