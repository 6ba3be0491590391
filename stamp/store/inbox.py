"""Work that came in: each event once for each consumer, taken in order, and had by one taker at a time.

All of it happens in the caller's transaction: what a handler writes there is committed with the completion of its work, or not at
all. Times and durations are microseconds, and the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from stamp.store import record
from stamp.store.letter import Letter, write
from stamp.store.message import Message
from stamp.store.statement import Insert, Statement
from stamp.store.work import Work

__all__ = ["complete", "extend", "is_due", "park", "postpone", "put", "release", "take"]


def put(tx: Connection, entries: Sequence[tuple[str, Message]], *, now: int) -> int:
    """Put messages in, each for a consumer, and return how many of them are new: an event is there once for each consumer, whatever has become of it."""
    rows = [(consumer, *record.fields(each), record.run(each.workflow_id), now) for consumer, each in entries]
    return PUT.execute(tx, rows)


def take(tx: Connection, consumers: Sequence[str], *, limit: int, now: int, lease: int) -> list[Work]:
    """Take at most `limit` messages that are due for `consumers`, in the order of their arrival, for `lease` microseconds.

    Of each consumer's messages of one run only the first unfinished one is due, and only when nobody is at work on another: a
    later one waits for an earlier that rests or is at work, but not for one that is dead. Messages without a run have no order.
    What somebody took and did not finish within the lease is due again.
    """
    rows = TAKE.execute(tx, [(each,) for each in consumers], limit=limit, now=now, until=now + lease)
    return sorted(_work(row) for row in rows)


def is_due(connection: Connection, consumers: Sequence[str], *, now: int) -> bool:
    """Tell whether `take` would find something, if nobody else does before."""
    return IS_DUE.execute(connection, [(each,) for each in consumers], now=now).first() is not None


def complete(tx: Connection, works: Sequence[Work], *, now: int) -> Sequence[Work]:
    """Note that these are done, and return those that were lost to a later taker, or given back: then the caller must roll back."""
    if not works:
        return ()
    completed = set(COMPLETE.execute(tx, _keys(works), now=now).scalars())
    return [each for each in works if each.number not in completed]


def postpone(tx: Connection, work: Work, *, until: int, error: str) -> bool:
    """Give work back to be tried again at `until`, and tell whether it was still the caller's."""
    return bool(POSTPONE.execute(tx, [(work.number, work.fence)], until=until, error=record.clean(error)).rowcount)


def park(tx: Connection, work: Work, letter: Letter, *, now: int) -> bool:
    """Put work among the dead letters, and tell whether it was still the caller's."""
    if not PARK.execute(tx, [(work.number, work.fence)]).rowcount:
        return False
    write(tx, work.number, letter, now=now)
    return True


def release(tx: Connection, works: Sequence[Work]) -> None:
    """Give work back as if it had not been taken; what is no more the caller's is left alone."""
    if works:
        RELEASE.execute(tx, _keys(works))


def extend(tx: Connection, works: Sequence[Work], *, until: int) -> None:
    """Have the lease of work end at `until`; what is no more the caller's, or just about to be finished, is left alone."""
    if works:
        EXTEND.execute(tx, _keys(works), until=until)


def _keys(works: Iterable[Work]) -> list[tuple[int, int]]:
    return [(each.number, each.fence) for each in works]


def _work(row: Any) -> Work:
    number, fence, consumer, attempt, arrived_at, failures, *columns = row
    return Work(number, fence, consumer, record.message(tuple(columns)), attempt, arrived_at, failures)


PUT = Insert(
    "stamp_inbox",
    {"consumer": "text", **record.FIELDS, "run": "number", "arrived_at": "number"},
    keys=("consumer", "event_id"),
    numbered="stamp_inbox_number",
)
DUE = """
    FROM stamp_inbox
    WHERE consumer IN (SELECT consumer FROM {given}) AND {unfinished} AND due_at <= :now
    AND NOT EXISTS (
        SELECT 1 FROM stamp_inbox AS other
        WHERE other.consumer = stamp_inbox.consumer AND other.run = stamp_inbox.run AND other.number <> stamp_inbox.number
        AND (other.state = 0 AND other.number < stamp_inbox.number
          OR other.state = 1 AND (other.number < stamp_inbox.number OR other.due_at > :now))
    )
"""
TAKE = Statement(
    f"""
    WITH due AS MATERIALIZED (
        SELECT number {DUE} ORDER BY number LIMIT :limit {{skip_locked}}
    )
    UPDATE stamp_inbox SET state = 1, attempts = attempts + 1, fence = fence + 1, due_at = :until
    FROM due WHERE stamp_inbox.number = due.number
    RETURNING stamp_inbox.number, fence, consumer, attempts, arrived_at, failures, {record.COLUMNS}
    """,  # noqa: S608 - our own names
    consumer="text",
)
IS_DUE = Statement(f"SELECT 1 {DUE} LIMIT 1", consumer="text")
HELD = "stamp_inbox.number = given.number AND stamp_inbox.fence = given.fence AND {at_work}"
KEYS = {"number": "number", "fence": "number"}
COMPLETE = Statement(
    f"UPDATE stamp_inbox SET state = 2, body = NULL, done_at = :now FROM {{given}} WHERE {HELD} RETURNING stamp_inbox.number",  # noqa: S608 - our own names
    **KEYS,
)
POSTPONE = Statement(
    f"UPDATE stamp_inbox SET state = 0, failures = failures + 1, due_at = :until, error = :error FROM {{given}} WHERE {HELD}",  # noqa: S608 - our own names
    **KEYS,
)
PARK = Statement(f"UPDATE stamp_inbox SET state = 3 FROM {{given}} WHERE {HELD}", **KEYS)  # noqa: S608 - our own names
OURS = f"SELECT stamp_inbox.number FROM stamp_inbox, {{given}} WHERE {HELD} {{skip_locked_inbox}}"  # noqa: S608 - our own names
RELEASE = Statement(
    f"""
    WITH ours AS MATERIALIZED ({OURS})
    UPDATE stamp_inbox SET state = 0, attempts = attempts - 1, due_at = 0
    FROM ours WHERE stamp_inbox.number = ours.number
    """,  # noqa: S608 - our own names
    **KEYS,
)
EXTEND = Statement(
    f"""
    WITH ours AS MATERIALIZED ({OURS})
    UPDATE stamp_inbox SET due_at = :until FROM ours WHERE stamp_inbox.number = ours.number
    """,  # noqa: S608 - our own names
    **KEYS,
)
