"""Tables: the queues, the messages that are in them, and the documents that services leave for each other."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

__all__ = ["DOCUMENTS", "MESSAGES", "METADATA", "QUEUES"]

METADATA: Final = MetaData()

QUEUES: Final = Table("stamp_queue", METADATA, Column("name", Text, primary_key=True))

MESSAGES: Final = Table(
    "stamp_queued",
    METADATA,
    # SQLite numbers by itself only what it calls INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("queue", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("deliveries", Integer, nullable=False, server_default=text("0")),
    Column("held_until", Float(53), nullable=False, server_default=text("0")),
    Index("stamp_queued_in_order", "queue", "number"),
    sqlite_autoincrement=True,
)
"""`held_until`: in seconds since 1970 UTC by the database's clock. `deliveries`: how often it was given out; with `number` it says which time."""

DOCUMENTS: Final = Table(
    "stamp_queue_document",
    METADATA,
    Column("workflow", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
"""The document whose key is empty is none of theirs: it is another one after every change."""
