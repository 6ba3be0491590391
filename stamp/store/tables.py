"""The tables, nearly the same in both databases. All times are microseconds since 1970, UTC.

A row of the inbox is waiting (`state` 0; at work as long as it has a lease), done (2) or dead (3). It is short, because the content of
its message is apart: taking work rewrites no bodies, and what is left of work that is done fills few pages. `run` stands for the
consumer and the workflow's id where rows are ordered by those: 8 bytes, whatever a sender has put there. `content` is a digest of what
the event says, so that another one of the same id is noticed; rows of edition 2 have none.

Indexes of waiting rows are partial, so that work that is done costs nothing. What a taker changes is in no index of PostgreSQL, which then
writes none of them anew (HOT); SQLite would have to look at every row that rests, so there the index has all that decides.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "CONTENTS",
    "DEAD_LETTERS",
    "DIRECTORY",
    "EDITION",
    "FINALS",
    "INBOX",
    "METADATA",
    "OUTBOX",
    "STARTS",
    "STORAGE",
]

METADATA: Final = MetaData()

NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""On SQLite the word INTEGER makes a column the address of its row."""


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _key(name: str) -> Column[str]:
    """Compared byte by byte, whatever the database's language: ranges of keys are read by their prefix."""
    return Column(name, Text().with_variant(Text(collation="C"), "postgresql"), nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _zero(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


EDITION: Final = Table("stamp_edition", METADATA, Column("edition", Integer, nullable=False))

INBOX: Final = Table(
    "stamp_inbox",
    METADATA,
    # No number is used twice, on SQLite by the word AUTOINCREMENT: a taker that slept through everything must not hold the number and
    # fence of another message.
    Column("number", NUMBER, Sequence("stamp_inbox_number"), primary_key=True, autoincrement=True),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    _count("attempts"),
    _count("failures"),
    _zero("fence"),
    _zero("not_before"),
    _zero("lease_until"),
    Column("run", BigInteger),
    _number("arrived_at"),
    Column("done_at", BigInteger),
    _text("consumer"),
    _bytes("event_id"),
    _text("workflow"),
    _text("workflow_id"),
    _text("event"),
    Column("error", Text),
    Column("content", LargeBinary),
    UniqueConstraint("consumer", "event_id", name="stamp_inbox_event"),
    sqlite_autoincrement=True,
)

CONTENTS: Final = Table(
    "stamp_content",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    _text("headers"),
    _bytes("body"),
)

OUTBOX: Final = Table(
    "stamp_outbox",
    METADATA,
    _bytes("event_id"),
    _text("consumer"),
    _number("resend_at"),
    _count("sends"),
    _number("created_at"),
    _text("workflow"),
    _text("workflow_id"),
    _text("event"),
    _text("headers"),
    _bytes("body"),
    PrimaryKeyConstraint("event_id", "consumer"),
)

DEAD_LETTERS: Final = Table(
    "stamp_dead_letter",
    METADATA,
    _text("consumer"),
    _bytes("event_id"),
    _text("reason"),
    _text("error_type"),
    _text("error_message"),
    _text("traceback"),
    Column("writer", Text),
    Column("reader", Text),
    _count("attempts"),
    _number("first_at"),
    _number("last_at"),
    PrimaryKeyConstraint("consumer", "event_id"),
)

FINALS: Final = Table(
    "stamp_final",
    METADATA,
    _bytes("event_id"),
    _number("at"),
    Column("run", BigInteger),
    _text("workflow"),
    _text("workflow_id"),
    _text("event"),
    _text("headers"),
    _bytes("body"),
    PrimaryKeyConstraint("event_id"),
)

STARTS: Final = Table(
    "stamp_start",
    METADATA,
    _bytes("run"),
    _bytes("content"),
    _number("at"),
    PrimaryKeyConstraint("run"),
    sqlite_with_rowid=False,
)

DIRECTORY: Final = Table(
    "stamp_directory",
    METADATA,
    _text("workflow"),
    _key("key"),
    _text("document"),
    _number("announced_at"),
    PrimaryKeyConstraint("workflow", "key"),
)


def _index(name: str, *columns: Column[int] | Column[str], where: str | None = None) -> Index:
    partial = None if where is None else text(where)
    return Index(name, *columns, sqlite_where=partial, postgresql_where=partial)


# PostgreSQL's planner takes an index that it believes to be empty for as good as any other. So there is none of numbers alone, and what looks
# for waiting rows states the whole condition of the one index that it needs: no other one can be used then.
INBOX.primary_key.ddl_if(dialect="sqlite")
_index("stamp_inbox_waiting", INBOX.c.consumer, INBOX.c.number, where="state = 0 AND number > 0").ddl_if(
    dialect="postgresql"
)
_index(
    "stamp_inbox_waiting",
    INBOX.c.consumer,
    INBOX.c.number,
    INBOX.c.not_before,
    INBOX.c.lease_until,
    INBOX.c.run,
    where="state = 0",
).ddl_if(dialect="sqlite")
_index("stamp_inbox_run", INBOX.c.run, INBOX.c.number, where="state = 0 AND run IS NOT NULL")
_index("stamp_inbox_done", INBOX.c.done_at, where="state = 2")
_index("stamp_outbox_resend", OUTBOX.c.resend_at)
_index("stamp_final_at", FINALS.c.at)
_index("stamp_final_run", FINALS.c.run)
_index("stamp_start_at", STARTS.c.at)

# Room in each page for what a taker changes, or it would have to go into another one, and into all indexes. Nearly every row of these
# tables goes, or is written anew: so they are vacuumed when a fiftieth of them has, not a fifth.
STORAGE: Final = (
    "ALTER TABLE stamp_inbox SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)",
    "ALTER TABLE stamp_content SET (autovacuum_vacuum_scale_factor = 0.02)",
    "ALTER TABLE stamp_outbox SET (autovacuum_vacuum_scale_factor = 0.02)",
)
"""What PostgreSQL is told of tables when they have been created."""
