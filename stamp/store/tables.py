"""The tables, the same in both databases. All times are microseconds since 1970, UTC.

A row of the inbox is waiting (0), at work (1), done (2) or dead (3): what is below 2 is unfinished. `due_at` is when it may be
taken: the end of its rest, or of the lease of whoever has it. `run` stands for the workflow's id where rows are ordered by it:
of the same size whatever a sender has put there, so that an index can hold it.
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

__all__ = ["DEAD_LETTERS", "EDITION", "FINALS", "INBOX", "METADATA", "OUTBOX"]

METADATA: Final = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _message() -> tuple[Column[str] | Column[bytes], ...]:
    """What a table needs to give a Message back; its body is the table's affair."""
    return _bytes("event_id"), _text("workflow"), _text("workflow_id"), _text("event"), _text("headers")


EDITION: Final = Table("stamp_edition", METADATA, Column("edition", Integer, nullable=False))

INBOX: Final = Table(
    "stamp_inbox",
    METADATA,
    # Numbers are never used again, on SQLite by its word AUTOINCREMENT: a taker that slept through everything must not
    # hold the number and fence of another message.
    Column(
        "number",
        BigInteger().with_variant(Integer, "sqlite"),
        Sequence("stamp_inbox_number"),
        primary_key=True,
        autoincrement=True,
    ),
    _text("consumer"),
    *_message(),
    Column("body", LargeBinary),
    Column("run", BigInteger),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    _number("arrived_at"),
    Column("done_at", BigInteger),
    Column("error", Text),
    UniqueConstraint("consumer", "event_id", name="stamp_inbox_event"),
    sqlite_autoincrement=True,
)

OUTBOX: Final = Table(
    "stamp_outbox",
    METADATA,
    *_message(),
    _bytes("body"),
    _text("consumer"),
    _number("created_at"),
    _number("resend_at"),
    Column("sends", Integer, nullable=False, server_default="0"),
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
    Column("attempts", Integer, nullable=False),
    _number("first_at"),
    _number("last_at"),
    PrimaryKeyConstraint("consumer", "event_id"),
)

FINALS: Final = Table(
    "stamp_final",
    METADATA,
    *_message(),
    _bytes("body"),
    Column("run", BigInteger),
    _number("at"),
    PrimaryKeyConstraint("event_id"),
)

_UNFINISHED: Final = text("state < 2")
_DONE: Final = text("state = 2")

Index(
    "stamp_inbox_due",
    INBOX.c.consumer,
    INBOX.c.number,
    INBOX.c.due_at,
    sqlite_where=_UNFINISHED,
    postgresql_where=_UNFINISHED,
)
Index(
    "stamp_inbox_run",
    INBOX.c.consumer,
    INBOX.c.run,
    INBOX.c.state,
    INBOX.c.number,
    sqlite_where=_UNFINISHED,
    postgresql_where=_UNFINISHED,
)
Index("stamp_inbox_done", INBOX.c.done_at, sqlite_where=_DONE, postgresql_where=_DONE)
Index("stamp_outbox_resend", OUTBOX.c.resend_at)
Index("stamp_final_at", FINALS.c.at)
Index("stamp_final_run", FINALS.c.run)
