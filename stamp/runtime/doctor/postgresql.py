"""What can be wrong with a PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from stamp.errors import StoreError
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem
from stamp.store.address import secrets
from stamp.store.postgresql import connect

__all__ = ["examine"]

OLDEST: Final = 12
"""AS MATERIALIZED."""
ROUNDS: Final = 11
SLOW: Final = 0.05
"""How long a commit may take, in seconds."""
POOL: Final = 15
"""How many connections one worker takes at most."""
SHARP: Final = 1.0
APART: Final = 10.0
"""How many seconds clocks may differ before somebody should look, and before rests and leases are wrong."""
BRIEF: Final = 60.0
"""Seconds that a transaction with a handler in it may need."""


def examine(url: URL, *, name: str) -> Iterator[Diagnosis]:
    """Look at a server, and at what a worker may do in a database of it; `name` is a table that probes may make."""
    began = time.perf_counter()
    try:
        engine = connect(url).execution_options(isolation_level="AUTOCOMMIT")
    except StoreError as error:
        yield problem("driver", str(error), "")
        return
    try:
        with engine.connect() as connection:
            yield ok("connection", f"made in {(time.perf_counter() - began) * 1e3:.0f} ms")
            yield from _server(connection)
            yield from _durability(connection)
            yield from _limits(connection)
            yield _clock(connection)
            yield from _trials(connection, name)
    except StoreError as error:
        yield problem("encoding", error.message, "")
    except (
        SQLAlchemyError,
        TypeError,
        ValueError,
    ) as error:  # of options in the URL: whoever is asked first refuses them
        yield problem(
            "connection",
            " ".join(secrets(url).masked(getattr(error, "orig", error)).split()),
            "see that it runs, and check host, port, user, password and database",
        )
    finally:
        engine.dispose()


def _setting(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _server(connection: Connection) -> Iterator[Diagnosis]:
    yield ok("encoding", _setting(connection, "server_encoding"))
    number = int(_setting(connection, "server_version_num"))
    found = f"PostgreSQL {_setting(connection, 'server_version').split()[0]}"
    yield judged(
        "version", found, {State.PROBLEM: number // 10_000 < OLDEST}, f"upgrade to PostgreSQL {OLDEST} or later"
    )
    standby = connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
    yield judged(
        "role",
        "standby" if standby else "primary",
        {State.PROBLEM: standby},
        "give the address of the primary server: a standby takes no writes",
    )
    read_only = _setting(connection, "default_transaction_read_only")
    yield judged(
        "default_transaction_read_only",
        read_only,
        {State.PROBLEM: read_only == "on"},
        "set it to off for this user and this database",
    )
    isolation = _setting(connection, "default_transaction_isolation")
    yield ok("default_transaction_isolation", f"{isolation}; workers set READ COMMITTED themselves")


def _durability(connection: Connection) -> Iterator[Diagnosis]:
    lost = {"fsync": "on", "full_page_writes": "on"}
    for name, wanted in lost.items():
        found = _setting(connection, name)
        yield judged(
            name,
            found,
            {State.PROBLEM: found != wanted},
            f"set it to {wanted}: a crash of the machine damages the database",
        )
    found = _setting(connection, "synchronous_commit")
    advice = "set it to on, for the user of the workers at least: what was acknowledged may be gone after a crash"
    yield judged("synchronous_commit", found, {State.PROBLEM: found == "off"}, advice)
    found = _setting(connection, "autovacuum")
    yield judged(
        "autovacuum",
        found,
        {State.WARNING: found != "on"},
        "set it to on: rows that were worked on would stay for ever",
    )


def _limits(connection: Connection) -> Iterator[Diagnosis]:
    most = int(_setting(connection, "max_connections")) - int(_setting(connection, "superuser_reserved_connections"))
    taken = connection.execute(
        text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    ).scalar_one()
    free = most - taken + 1  # this one is ours
    yield judged(
        "max_connections",
        f"{most:,}, of which {free:,} are free; a worker takes its concurrency and two, {POOL} at most",
        {State.PROBLEM: free < 3, State.WARNING: free < POOL},
        "raise it, run fewer workers, or put a pool between",
    )
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        seconds = connection.execute(
            text("SELECT setting::float / 1000 FROM pg_settings WHERE name = :name"), {"name": name}
        ).scalar_one()
        found = f"{seconds:g} s" if seconds else "none"
        yield judged(
            name,
            found,
            {State.WARNING: 0 < seconds < BRIEF},
            "set it to more than the handlers of a group take together, or to 0 for the user of the workers",
        )


def _clock(connection: Connection) -> Diagnosis:
    before = time.time()
    theirs = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
    after = time.time()
    apart = theirs - (before + after) / 2
    states = {State.PROBLEM: abs(apart) > APART, State.WARNING: abs(apart) > SHARP}
    return judged(
        "clock",
        f"{apart:+.3f} s from ours, within {(after - before) / 2:.3f} s",
        states,
        "keep clocks with NTP: workers of several machines note in one table when something is due",
    )


def _trials(connection: Connection, table: str) -> Iterator[Diagnosis]:
    try:
        connection.execute(text(f"CREATE TABLE {table} (number integer)"))
    except DBAPIError as error:
        yield problem(
            "tables",
            " ".join(str(error.orig).split()),
            "GRANT CREATE, USAGE ON SCHEMA ... TO the user of the workers, at least until the first of them has run",
        )
        return
    try:
        times = []
        for number in range(ROUNDS):
            began = time.perf_counter()
            connection.execute(text(f"INSERT INTO {table} VALUES (:number)"), {"number": number})  # noqa: S608 - our own name
            times.append(time.perf_counter() - began)
    finally:
        connection.execute(text(f"DROP TABLE {table}"))
    took = median(times)
    yield judged(
        "commits",
        f"one takes {took * 1e3:.2f} ms",
        {State.WARNING: took > SLOW},
        "look at the disk of the server and at the way to it: every group of works waits for a commit",
    )
