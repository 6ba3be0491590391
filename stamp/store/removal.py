"""A consumer that is gone: how much waits for it in a database, and what becomes of that."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection

from stamp.store.statement import Statement

__all__ = ["Left", "discard", "left"]


class Left(NamedTuple):
    """Messages of a consumer: those that wait for it, those of them that somebody works on now, and events that have not reached it yet."""

    waiting: int
    at_work: int
    unsent: int


def left(connection: Connection, consumer: str, *, now: int) -> Left:
    """Return what there is for a consumer; `now` is in microseconds. Dead letters do not count."""
    return Left(*tuple(LEFT.execute(connection, consumer=consumer, now=now).one()))


def discard(tx: Connection, consumer: str, *, now: int) -> None:
    """Give up all that waits for a consumer: it counts as done at `now`, bodies are gone, and nothing is sent to it any more."""
    GIVE_UP.execute(tx, consumer=consumer, now=now)
    DROP.execute(tx, consumer=consumer, now=now)
    FORGET.execute(tx, consumer=consumer)


LEFT: Final = Statement(
    """
    SELECT count(*), count(CASE WHEN lease_until > :now THEN 1 END), (
        SELECT count(*) FROM stamp_outbox WHERE consumer = :consumer AND NOT EXISTS (
            SELECT 1 FROM stamp_inbox
            WHERE stamp_inbox.consumer = stamp_outbox.consumer AND stamp_inbox.event_id = stamp_outbox.event_id
        )
    )
    FROM stamp_inbox WHERE consumer = :consumer AND state = 0 AND number > 0
    """
)
GIVE_UP: Final = Statement(
    "UPDATE stamp_inbox SET state = 2, done_at = :now WHERE consumer = :consumer AND state = 0 AND number > 0"
)
DROP: Final = Statement(
    """
    DELETE FROM stamp_content WHERE number IN (
        SELECT number FROM stamp_inbox WHERE consumer = :consumer AND state = 2 AND done_at = :now
    )
    """
)
FORGET: Final = Statement("DELETE FROM stamp_outbox WHERE consumer = :consumer")
