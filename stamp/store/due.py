"""Which messages may be taken, and taking them.

Of each consumer's messages the first waiting one of each run, and all that have no run, unless they rest or somebody has them. They are found along
the index of waiting messages, in the order of arrival, until there are enough: how many wait or are done makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row

from stamp.store.statement import Statement

__all__ = ["FIRST", "LEASE", "TAKEN", "is_any", "take"]


def take(tx: Connection, consumers: Sequence[str], *, limit: int, now: int, until: int) -> Sequence[Row[Any]]:
    """Lease what is due for `consumers`, and return it in no order: number, fence, consumer, attempts, failures, arrived_at and the message."""
    statement = TAKE if tx.dialect.name == "postgresql" else _take_of(len(consumers))
    return statement.execute(tx, limit=limit, now=now, until=until, **_wanted(tx, consumers)).all()


def is_any(connection: Connection, consumers: Sequence[str], *, now: int) -> bool:
    """Tell whether anything is due for `consumers`."""
    statement = IS_ANY if connection.dialect.name == "postgresql" else _is_any_of(len(consumers))
    return bool(statement.execute(connection, now=now, **_wanted(connection, consumers)).scalar_one())


def _wanted(connection: Connection, consumers: Sequence[str]) -> dict[str, object]:
    if connection.dialect.name == "postgresql":
        return {"consumers": list(consumers)}
    return {f"consumer_{at}": each for at, each in enumerate(consumers)}


FIRST: Final = """
    state = 0 AND number > 0 AND not_before <= :now AND lease_until <= :now AND NOT EXISTS (
        SELECT 1 FROM stamp_inbox AS earlier {by_run}
        WHERE earlier.state = 0 AND earlier.run IS NOT NULL AND earlier.run = stamp_inbox.run
        AND earlier.number < stamp_inbox.number {apart}
    )
"""
# Neither may grow out of its column: the one statement that takes all would fail for all, for what somebody has written into one row.
LEASE: Final = f"""
    UPDATE stamp_inbox SET lease_until = :until,
        attempts = CASE WHEN attempts < {2**31 - 1} THEN attempts + 1 ELSE 1 END,
        fence = CASE WHEN fence < {2**63 - 1} THEN fence + 1 ELSE 1 END
"""  # noqa: S608 - our own numbers
TAKEN: Final = """
    stamp_inbox.number, fence, consumer, attempts, failures, arrived_at, event_id, workflow, workflow_id, event,
    (SELECT headers FROM stamp_content WHERE stamp_content.number = stamp_inbox.number),
    (SELECT body FROM stamp_content WHERE stamp_content.number = stamp_inbox.number)
"""
TAKE: Final = Statement("SELECT * FROM stamp_take(CAST(:consumers AS text[]), :limit, :now, :until)")
IS_ANY: Final = Statement("SELECT stamp_is_due(CAST(:consumers AS text[]), :now)")


@cache
def _take_of(consumers: int) -> Statement:
    """SQLite merges what it finds for each consumer as it goes, where they are written out."""
    due = " UNION ALL ".join(_waiting_for(at) for at in range(consumers))
    return Statement(
        f"""
        WITH due AS MATERIALIZED ({due} ORDER BY number LIMIT :limit)
        {LEASE} FROM due WHERE stamp_inbox.number = due.number
        RETURNING {TAKEN}
        """
    )


@cache
def _is_any_of(consumers: int) -> Statement:
    return Statement("SELECT " + " OR ".join(f"EXISTS ({_waiting_for(at)})" for at in range(consumers)))


def _waiting_for(at: int) -> str:
    return f"SELECT number FROM stamp_inbox {{by_waiting}} WHERE consumer = :consumer_{at} AND {FIRST}"  # noqa: S608 - our own names
