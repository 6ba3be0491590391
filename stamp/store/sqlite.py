"""SQLite: one file, one writer at a time, in WAL mode so that nobody waits to read."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import URL

from stamp.store.address import is_in_memory

__all__ = ["connect"]

PATIENCE: Final = 30.0
"""Seconds to wait for the write lock."""

OLDEST: Final = (3, 35)
"""RETURNING and AS MATERIALIZED; UPDATE ... FROM is of 3.33."""


def connect(url: URL) -> Engine:
    """Return an engine whose transactions lock the database for writing when they begin.

    A transaction that took the lock only when it first writes could find that its snapshot is old, and no waiting would help. So
    IMMEDIATE is the default, and a connection with the option `stamp_reads` cannot write.
    """
    # Autocommit for the driver: it would begin transactions of its own, too late and of the wrong kind.
    arguments: dict[str, Any] = {"timeout": PATIENCE, "isolation_level": None}
    options: dict[str, Any] = {"pool_use_lifo": True, "max_overflow": -1}
    if is_in_memory(url):
        arguments["check_same_thread"] = False
        options = {"poolclass": StaticPool}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **options)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode, which stays: in this step alone SQLite does not wait for others who do the same."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_locked = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not is_locked or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("stamp_reads", False)
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA query_only = {int(reads)}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
