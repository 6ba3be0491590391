"""A dead letter of a store that was refused by its outside, and holds an event all the same, is taken for that event.

The letter has an id of its own, so the inbox would not know the event again that may have come properly before, or may come later.
"""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy import Connection

from stamp.envelope.content import ANY_SIZE
from stamp.errors import StampError, WireError
from stamp.runtime.arrival import enclosed, own_id
from stamp.runtime.beginning import begin, used
from stamp.runtime.conflict import conflict
from stamp.runtime.reason import HOPELESS, letter
from stamp.store import dead_letters, inbox, starts
from stamp.store.letter import Letter
from stamp.store.message import Message

__all__ = ["event_of", "judge"]

LOG: Final = logging.getLogger("stamp.dlq")


def event_of(letter: Letter, message: Message) -> Message | None:
    """Return the event in the body of a message that was not taken for one; None for every other dead letter."""
    found = enclosed(message.body) if letter.reason == HOPELESS[WireError] else None
    if found is None or found.event_id == message.event_id:
        return None
    return Message(*found, message.body, message.headers)


def judge(tx: Connection, queue: str, message: Message, *, now: int) -> None:
    """Take an event in as if it had just arrived at `queue`: it is worked on, is a repeat, or dead again for another reason."""
    _, refused = begin([message], ANY_SIZE, lambda contents: starts.put(tx, contents, now=now))
    entries = [(queue, message)]
    error: StampError | None = None
    if refused:
        error = used([message.workflow_id], path=message.workflow)
    elif inbox.put(tx, entries, now=now):
        return
    elif inbox.others(tx, entries):
        error = conflict(queue, message)
    if error is None:
        LOG.warning("%s: dismissed: event %s was taken before", queue, message.event_id.hex())
        return
    renamed = message._replace(event_id=own_id(queue, message.body))
    dead_letters.bury(tx, queue, renamed, letter(error), now=now)
    LOG.warning("%s: still dead: %s", queue, error)
