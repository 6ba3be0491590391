"""Two events of one id that say different things: what came first is taken, and the conflict is told.

An id follows from the work that an event answers. The first event of a run answers none, so another one under its id is forged, or its own is: it becomes
a dead letter. A later one may as well come from a handler that answers otherwise each time (the time, a random number) and was called again after
a crash, as every worker without a store may do. It is a repeat of the same work, so it is dropped as one, with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from stamp.envelope.content import ANY_SIZE
from stamp.envelope.wire import read_first
from stamp.errors import UsedEventIdError
from stamp.runtime.arrival import own_id
from stamp.runtime.reason import letter
from stamp.store import dead_letters, inbox
from stamp.store.message import Message

__all__ = ["conflict", "put"]

LOG: Final = logging.getLogger("stamp.conflict")


def put(transaction: Connection, entries: Sequence[tuple[str, Message]], *, now: int) -> None:
    """Put messages into the inboxes of consumers; among their dead letters what would begin a run under the id of another event there."""
    if inbox.put(transaction, entries, now=now) == len(entries):
        return
    for consumer, message in inbox.others(transaction, entries):
        error = conflict(consumer, message)
        if error is not None:
            renamed = message._replace(event_id=own_id(consumer, message.body))
            if dead_letters.bury(transaction, consumer, renamed, letter(error), now=now):
                LOG.error("%s: dead letter (used-event-id): %s", consumer, error, extra=_described(message))


def conflict(consumer: str, message: Message) -> UsedEventIdError | None:
    """Return why the first event of a run is no repeat of what `consumer` took under its id; warn of a later event, and return None."""
    error = _used(message)
    if read_first(message.body, ANY_SIZE) is not None:
        return error
    LOG.warning("%s: dropped as a repeat: %s", consumer, error, extra=_described(message))
    return None


def _described(message: Message) -> dict[str, str]:
    return {"workflow_id": message.workflow_id, "event_id": message.event_id.hex()}


def _used(message: Message) -> UsedEventIdError:
    """Return the error that another event has the id of `message`."""
    return UsedEventIdError(
        f"expected an event of an id of its own, or the same event again, got {message.event_id.hex()}, under which other content "
        "was taken before: see who else publishes to this workflow, or whether a handler answers otherwise when it is called again"
    )
