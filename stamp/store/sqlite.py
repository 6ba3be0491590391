"""SQLite: one file, one writer at a time, in WAL mode so that nobody waits to read."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import URL

from stamp.errors import StoreError
from stamp.store.address import file_of, is_in_memory

__all__ = ["attach", "connect", "is_mistake"]

PATIENCE: Final = 30.0
"""Seconds to wait for the write lock."""

PAUSE: Final = 0.001
"""Seconds between two looks at the lock. SQLite's own pauses grow to 100 ms: who has waited longest would look most seldom, and wait for ever."""

OPTIONS: Final = ("timeout", "cached_statements")
"""What the URL of a file may say of how it is opened."""
LONGEST: Final = 100

FILE: Final = 0o600
"""Messages hold what customers wrote."""

OLDEST: Final = (3, 35)
"""The first release with RETURNING and AS MATERIALIZED."""


def connect(url: URL) -> Engine:
    """Return an engine for who may make the database: the file comes into being, and is in WAL mode from then on.

    Raises:
        StoreError: this SQLite is too old, or does not know an option of `url`.
    """
    engine = _engine(url)
    if (file := file_of(url)) is not None and not file.exists():
        with suppress(OSError):  # SQLite says in its own words why it cannot be made
            _make(file)
    event.listen(engine, "connect", _write_ahead, insert=True)
    return engine


def attach(url: URL) -> Engine:
    """Return an engine for who takes the database as it is: its mode stays, and a file that is not there is not made.

    Raises:
        StoreError: this SQLite is too old, or does not know an option of `url`.
    """
    if "uri" in url.query and url.query.get("mode") != "ro":
        url = url.update_query_dict({"mode": "rw"})
    return _engine(url)


def _engine(url: URL) -> Engine:
    """Return an engine whose transactions lock the database for writing when they begin.

    A transaction that took the lock only when it first writes could find that its snapshot is old, and no waiting would help. So
    IMMEDIATE is the default, and a connection with the option `stamp_reads` cannot write.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreError(
            f"expected SQLite {needed} or later, this Python has {sqlite3.sqlite_version}: use another build of it"
        )
    is_uri = "uri" in url.query  # its options are SQLite's own
    if not is_uri and (unknown := sorted(url.query.keys() - set(OPTIONS))):
        raise StoreError(
            f"an SQLite store takes the options {', '.join(OPTIONS)}, not {', '.join(unknown)[:LONGEST]!r}"
        )
    # Autocommit for the driver: it would begin transactions of its own, too late and of the wrong kind.
    arguments: dict[str, Any] = {"timeout": PATIENCE, "isolation_level": None}
    options: dict[str, Any] = {"pool_use_lifo": True, "max_overflow": -1}
    if is_in_memory(url):
        arguments["check_same_thread"] = False
        options = {"poolclass": StaticPool}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **options)
    event.listen(engine, "connect", _flush)
    event.listen(engine, "begin", _begin)
    return engine


def _make(file: Path) -> None:
    """Make an empty database for the user of this process alone, whatever the umask says; SQLite makes what belongs to it in the same way."""
    made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE)
    try:
        os.fchmod(made, FILE)
    finally:
        os.close(made)


def _write_ahead(connection: sqlite3.Connection, _: object) -> None:
    # In this step alone SQLite does not wait for others who do the same. The mode stays.
    _insist(connection, "PRAGMA journal_mode = WAL")


def _flush(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.text_factory = _text


def _text(raw: bytes) -> str:
    """Return a text of the database. One that is no UTF-8 is for its reader to refuse: the driver would refuse all rows that are read with it."""
    return raw.decode(errors="surrogateescape")


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("stamp_reads", False)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(f"PRAGMA query_only = {int(reads)}")
    if reads:
        connection.exec_driver_sql("BEGIN")
        return
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        _insist(driver, "BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # SQLAlchemy tells of it in its own way
    finally:
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1_000:.0f}")


def _insist(connection: sqlite3.Connection, sql: str) -> None:
    """Run `sql` until nobody is in the way."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute(sql)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return


def is_mistake(error: BaseException) -> bool:
    """Tell whether a file can never be opened: it is in no folder, no database, not for us. A lock, or a disk that is full, passes."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in LASTING


BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
LASTING: Final = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
