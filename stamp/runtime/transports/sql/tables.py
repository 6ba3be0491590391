"""Two tables: the queues, and the messages that are in them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

__all__ = ["MESSAGES", "METADATA", "QUEUES"]

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
