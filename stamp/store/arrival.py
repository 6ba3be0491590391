"""How messages get into the inbox: what is known of them, and their content, where they are new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from sqlalchemy import Connection, text

from stamp.envelope.content import content
from stamp.store import record
from stamp.store.bulk import arrays, unnested
from stamp.store.message import Message

__all__ = ["others", "put"]

Key = tuple[str, bytes, bytes]
"""A consumer, the id of an event, and what it says."""


def put(tx: Connection, entries: Sequence[tuple[str, Message]], *, now: int) -> int:
    """Put messages in, each for a consumer, and return how many of them are new."""
    if not entries:
        return 0
    contents = _contents(entries)
    return PUT[tx.dialect.name](tx, [_row(consumer, each, contents[each.body], now) for consumer, each in entries])


def _contents(entries: Sequence[tuple[str, Message]]) -> Mapping[bytes, bytes]:
    """Return the digests of the bodies, each of which several consumers may get."""
    return {body: content(body) for body in {each.body for _, each in entries}}


def _row(consumer: str, message: Message, said: bytes, now: int) -> tuple[Any, ...]:
    event_id, workflow, workflow_id, event, headers, body = record.fields(message)
    run = record.run(workflow_id, consumer)
    return consumer, event_id, workflow, workflow_id, event, run, now, said, headers, body


def others(tx: Connection, entries: Sequence[tuple[str, Message]]) -> list[tuple[str, Message]]:
    """Return those whose consumer has another event under their id, one that says something else."""
    contents = _contents(entries)
    keys = [(consumer, each.event_id, contents[each.body]) for consumer, each in entries]
    found = set(OTHERS[tx.dialect.name](tx, keys))
    return [entry for entry, key in zip(entries, keys, strict=True) if key in found]


def _others_on_sqlite(tx: Connection, keys: Sequence[Key]) -> Iterator[Key]:
    return (key for key in keys if tx.exec_driver_sql(OTHER, key).first() is not None)


def _others_on_postgresql(tx: Connection, keys: Sequence[Key]) -> Iterator[Key]:
    rows = tx.exec_driver_sql(OTHERS_OF_MANY, arrays(KEYS, keys))
    return ((consumer, bytes(event_id), bytes(said)) for consumer, event_id, said in rows)


def _put_on_sqlite(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    numbers = _numbers(tx)
    numbered = [(next(numbers), *row) for row in rows]
    new = tx.exec_driver_sql(INTO_INBOX, [row[:-2] for row in numbered]).rowcount
    tx.exec_driver_sql(INTO_CONTENTS, [(row[0], *row[-2:]) for row in numbered])
    return new


def _numbers(tx: Connection) -> Iterator[int]:
    """Count on from the last number: we have the lock, so nobody else does. One that leaves no room for others is not ours."""
    last = tx.execute(LAST).scalar() or 0
    if type(last) is not int or not 0 <= last < LARGEST:
        last = tx.execute(LAST_OF_OURS, {"largest": LARGEST}).scalar() or 0
    return count(1 + last)


def _put_on_postgresql(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    return tx.exec_driver_sql(INTO_BOTH, arrays(COLUMNS, rows)).rowcount


PUT: Final = {"sqlite": _put_on_sqlite, "postgresql": _put_on_postgresql}
COLUMNS: Final = {
    "consumer": "text",
    "event_id": "bytes",
    "workflow": "text",
    "workflow_id": "text",
    "event": "text",
    "run": "number",
    "arrived_at": "number",
    "content": "bytes",
    "headers": "text",
    "body": "bytes",
}
KNOWN: Final = "number, consumer, event_id, workflow, workflow_id, event, run, arrived_at, content"
LARGEST: Final = 2**62
LAST_OF_OURS: Final = text("SELECT max(number) FROM stamp_inbox WHERE number BETWEEN 0 AND :largest - 1")
LAST: Final = text("SELECT seq FROM sqlite_sequence WHERE name = 'stamp_inbox'")
INTO_INBOX: Final = f"INSERT INTO stamp_inbox ({KNOWN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
INTO_CONTENTS: Final = """
    INSERT OR REPLACE INTO stamp_content (number, headers, body)
    SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM stamp_inbox WHERE number = ?1)
"""
# Numbered as they were given, but put in sorted by their keys: two transactions that put the same messages in by different orders would
# wait for each other.
INTO_BOTH: Final = f"""
    WITH given AS MATERIALIZED (
        SELECT nextval('stamp_inbox_number') AS number, given.* FROM {unnested(COLUMNS)}
    ), new AS (
        INSERT INTO stamp_inbox ({KNOWN}) SELECT {KNOWN} FROM given ORDER BY consumer, event_id ON CONFLICT DO NOTHING RETURNING number
    )
    INSERT INTO stamp_content (number, headers, body) SELECT number, headers, body FROM given JOIN new USING (number)
"""  # noqa: S608 - our own names

OTHERS: Final = {"sqlite": _others_on_sqlite, "postgresql": _others_on_postgresql}
KEYS: Final = {"consumer": "text", "event_id": "bytes", "said": "bytes"}
OTHER: Final = "SELECT 1 FROM stamp_inbox WHERE consumer = ? AND event_id = ? AND content <> ?"
OTHERS_OF_MANY: Final = f"""
    SELECT given.* FROM {unnested(KEYS)} JOIN stamp_inbox USING (consumer, event_id) WHERE stamp_inbox.content <> given.said
"""  # noqa: S608 - our own names
