"""How much there is to do: for people, dashboards and health checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from stamp.store.record import readable_number, readable_text
from stamp.store.statement import Statement
from stamp.store.tables import DEAD_LETTERS, OUTBOX

__all__ = ["Backlog", "Unknown", "Unsent", "backlog", "dead", "unknown_schemas", "unsent"]


class Backlog(NamedTuple):
    """What one consumer has before it: numbers of messages, and when the first unfinished one arrived, in microseconds."""

    waiting: int
    at_work: int
    dead: int
    oldest: int | None


class Unsent(NamedTuple):
    """Events whose consumers are not known to have them: how many, when the first was created, and how often one was sent at most."""

    events: int
    oldest: int | None
    sends: int


class Unknown(NamedTuple):
    """Messages of one consumer that wait for a schema, and the error of one of them."""

    messages: int
    error: str


def backlog(connection: Connection) -> Mapping[str, Backlog]:
    """Return the backlog of each consumer that has one. What its taker has lost counts as at work until somebody takes it again."""
    return {
        readable_text(consumer): Backlog(waiting, at_work, dead, _time(oldest))
        for consumer, waiting, at_work, dead, oldest in map(tuple, BACKLOG.execute(connection))
    }


def unsent(connection: Connection) -> Unsent:
    """Return what the outbox still has."""
    counted = select(func.count(), func.min(OUTBOX.c.created_at), func.coalesce(func.max(OUTBOX.c.sends), 0))
    found = connection.execute(counted).one()
    return Unsent(found[0], _time(found[1]), readable_number(found[2]))


def _time(value: object) -> int | None:
    return None if value is None else readable_number(value)


def unknown_schemas(connection: Connection) -> Mapping[str, Unknown]:
    """Return for each consumer what waits for a schema that its workers do not know."""
    rows = UNKNOWN.execute(connection, like="UnknownSchemaError:%")
    return {
        readable_text(found): Unknown(messages, readable_text(error)) for found, messages, error in map(tuple, rows)
    }


def dead(connection: Connection, reasons: Collection[str]) -> Mapping[str, int]:
    """Return how many dead letters each consumer has that are dead for one of `reasons`."""
    letters = DEAD_LETTERS.c
    counted = (
        select(letters.consumer, func.count().label("number"))
        .where(letters.reason.in_(reasons))
        .group_by(letters.consumer)
    )
    return {readable_text(row.consumer): row.number for row in connection.execute(counted.order_by(letters.consumer))}


UNKNOWN = Statement(
    """
    SELECT consumer, count(*), min(error) FROM stamp_inbox
    WHERE state = 0 AND number > 0 AND error LIKE :like GROUP BY consumer ORDER BY consumer
    """
)
BACKLOG = Statement(
    """
    SELECT consumer,
        count(CASE WHEN state = 0 AND lease_until = 0 THEN 1 END), count(CASE WHEN state = 0 AND lease_until > 0 THEN 1 END),
        count(CASE state WHEN 3 THEN 1 END), min(CASE state WHEN 0 THEN arrived_at END)
    FROM stamp_inbox WHERE state <> 2 GROUP BY consumer ORDER BY consumer
    """
)
