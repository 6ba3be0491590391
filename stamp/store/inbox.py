"""Work that came in: each event once for each consumer, taken in order, and had by one taker at a time.

All of it happens in the caller's transaction: what a handler writes there is committed with the completion of its work, or not at
all. Times and durations are microseconds, and the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from stamp.errors import WireError
from stamp.store import arrival, due, record
from stamp.store.bulk import Change
from stamp.store.burial import bury_row
from stamp.store.letter import Letter, write
from stamp.store.message import Message
from stamp.store.statement import Statement
from stamp.store.work import Work

__all__ = ["back_off", "complete", "extend", "is_due", "others", "park", "postpone", "put", "release", "take", "wake"]


def put(tx: Connection, entries: Sequence[tuple[str, Message]], *, now: int) -> int:
    """Put messages in, each for a consumer, and return how many of them are new: an event is there once for each consumer, whatever has become of it."""
    return arrival.put(tx, entries, now=now)


def others(tx: Connection, entries: Sequence[tuple[str, Message]]) -> list[tuple[str, Message]]:
    """Return which messages, of those that were put in, were not: their consumer has an event of their id that says something else."""
    return arrival.others(tx, entries)


def take(tx: Connection, consumers: Sequence[str], *, limit: int, now: int, lease: int) -> list[Work]:
    """Take at most `limit` messages that are due for `consumers`, in the order of their arrival, for `lease` microseconds.

    Of each consumer's messages of one run only the first unfinished one is due: a later one waits for an earlier that rests or is at
    work, but not for one that is dead. Messages without a run have no order. What somebody took and did not finish within the lease
    is due again. A row that cannot be read becomes a dead letter, and the others are taken.
    """
    if not consumers:
        return []
    rows = due.take(tx, tuple(dict.fromkeys(consumers)), limit=limit, now=now, until=now + lease)
    return sorted(_works(tx, rows, now=now))


def is_due(connection: Connection, consumers: Sequence[str], *, now: int) -> bool:
    """Tell whether `take` would find something, if nobody else does before."""
    return bool(consumers) and due.is_any(connection, tuple(dict.fromkeys(consumers)), now=now)


def complete(tx: Connection, works: Sequence[Work], *, now: int) -> Sequence[Work]:
    """Note that these are done, and return those that were lost to a later taker, or given back: then the caller must roll back."""
    keys = _keys(works)
    lost: list[Work] = []
    if COMPLETE.execute(tx, keys, now=now) < len(keys):
        lost = [each for each in works if not _is_just_completed(tx, each)]
        keys = _keys(each for each in works if each not in lost)
    DROP.execute(tx, [(number,) for _, number, _ in keys])
    return lost


def postpone(tx: Connection, work: Work, *, until: int, error: str) -> bool:
    """Give work back to be tried again at `until`, and tell whether it was still the caller's."""
    return bool(POSTPONE.execute(tx, **_key(work), until=until, error=record.clean(error)).rowcount)


def back_off(tx: Connection, work: Work, *, until: int, error: str) -> bool:
    """Give work back to be tried again at `until` as if it had not been tried, and tell whether it was still the caller's."""
    return bool(BACK_OFF.execute(tx, **_key(work), until=until, error=record.clean(error)).rowcount)


def wake(tx: Connection, consumers: Sequence[str], text: str, *, now: int) -> int:
    """Make work due now that rests after an error with `text` in it, and return how much that is."""
    return WAKE.execute(tx, [(each,) for each in dict.fromkeys(consumers)], now=now, like=f"%{text}%")


def park(tx: Connection, work: Work, letter: Letter, *, now: int) -> bool:
    """Put work among the dead letters, and tell whether it was still the caller's."""
    if not PARK.execute(tx, **_key(work)).rowcount:
        return False
    write(tx, letter, now=now, **_address(work))
    return True


def release(tx: Connection, works: Sequence[Work]) -> None:
    """Give work back as if it had not been taken; what is no more the caller's is left alone."""
    RELEASE.execute(tx, _keys(works))


def extend(tx: Connection, works: Sequence[Work], *, until: int) -> None:
    """Have the lease of work end at `until`; what is no more the caller's, or about to be finished, is left alone."""
    EXTEND.execute(tx, _keys(works), until=until)


def _keys(works: Iterable[Work]) -> list[Key]:
    return [(each.consumer, each.number, each.fence) for each in works]


def _key(work: Work) -> dict[str, Any]:
    return {"consumer": work.consumer, "number": work.number, "fence": work.fence}


def _address(work: Work) -> dict[str, Any]:
    """Return what finds its row whatever has become of it."""
    return {"consumer": work.consumer, "event_id": work.message.event_id}


def _works(tx: Connection, rows: Iterable[Any], *, now: int) -> Iterator[Work]:
    for row in rows:
        try:
            work = _work(row)
        except WireError as error:
            LOSE.execute(tx, consumer=row[2], number=row[0])
            LOSE_CONTENT.execute(tx, number=row[0])
            bury_row(tx, row[2], tuple(row)[6:], error, now=now)
        else:
            yield work


def _work(row: Any) -> Work:
    number, fence, consumer, attempts, failures, arrived_at, *columns = row
    record.number(fence, "fence")
    for name, value in (("attempts", attempts), ("failures", failures)):
        record.count(value, name)
    record.number(arrived_at, "arrived_at")
    return Work(number, fence, consumer, record.message(columns), attempts, arrived_at, failures)


def _is_just_completed(tx: Connection, work: Work) -> bool:
    """Tell whether this transaction has completed `work` and not dropped its content yet: an earlier one has dropped that, too."""
    return IS_JUST_COMPLETED.execute(tx, fence=work.fence, **_address(work)).first() is not None


Key = tuple[str, int, int]

# Work is the caller's as long as it waits, with a lease, and nobody has taken it since. PostgreSQL finds it by consumer and number.
KEYS: Final = {"consumer": "text", "number": "number", "fence": "number"}
OURS: Final = """
    stamp_inbox.consumer = {consumer} AND stamp_inbox.number = {number} AND stamp_inbox.fence = {fence}
    AND state = 0 AND stamp_inbox.number > 0 AND lease_until > 0
"""
# Leases are renewed while the same works are being completed elsewhere: to wait for each other's rows would be a deadlock.
UNLOCKED: Final = """(
    SELECT given.* FROM {given} JOIN stamp_inbox USING (consumer, number, fence) WHERE state = 0 AND number > 0 FOR UPDATE OF stamp_inbox SKIP LOCKED
) AS given"""

COMPLETE: Final = Change(f"UPDATE stamp_inbox SET state = 2, done_at = {{now}} {{given}} WHERE {OURS}", **KEYS)  # noqa: S608 - our own names
DROP: Final = Change("DELETE FROM stamp_content {given} WHERE stamp_content.number = {number}", number="number")
IS_JUST_COMPLETED: Final = Statement(
    """
    SELECT 1 FROM stamp_inbox JOIN stamp_content USING (number)
    WHERE consumer = :consumer AND event_id = :event_id AND fence = :fence AND state = 2
    """
)
RELEASE: Final = Change(
    f"UPDATE stamp_inbox SET lease_until = 0, attempts = attempts - 1 {{given}} WHERE {OURS}",  # noqa: S608 - our own names
    **KEYS,
)
EXTEND: Final = Change(
    f"UPDATE stamp_inbox SET lease_until = {{until}} {{given}} WHERE {OURS}",  # noqa: S608 - our own names
    among=UNLOCKED,
    **KEYS,
)
OUR_ONE: Final = OURS.format(consumer=":consumer", number=":number", fence=":fence")
POSTPONE: Final = Statement(
    f"""
    UPDATE stamp_inbox SET failures = failures + 1, not_before = :until, lease_until = 0, error = :error WHERE {OUR_ONE}
    """  # noqa: S608 - our own names
)
BACK_OFF: Final = Statement(
    f"""
    UPDATE stamp_inbox SET attempts = attempts - 1, not_before = :until, lease_until = 0, error = :error WHERE {OUR_ONE}
    """  # noqa: S608 - our own names
)
WAKE: Final = Change(
    """
    UPDATE stamp_inbox SET not_before = {now} {given}
    WHERE stamp_inbox.consumer = {consumer} AND state = 0 AND stamp_inbox.number > 0 AND not_before > {now} AND error LIKE {like}
    """,
    consumer="text",
)
LOSE: Final = Statement(
    "DELETE FROM stamp_inbox WHERE consumer = :consumer AND number = :number AND state = 0 AND number > 0"
)
LOSE_CONTENT: Final = Statement("DELETE FROM stamp_content WHERE number = :number")
PARK: Final = Statement(f"UPDATE stamp_inbox SET state = 3, lease_until = 0 WHERE {OUR_ONE}")  # noqa: S608 - our own names
