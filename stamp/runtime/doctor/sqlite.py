"""What can be wrong with an SQLite database, and with the disk that it is on."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from stamp.runtime.doctor import disk
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem
from stamp.store.sqlite import OLDEST

__all__ = ["examine"]

PATIENCE: Final = 10.0
"""How long to wait for a lock, in seconds."""
ROUNDS: Final = 15
FAST: Final = 30e-6
SLOW: Final = 0.05
"""How many seconds a commit takes on no disk that has written anything, and on one that somebody should look at."""

LARGE: Final = 256 << 20
"""Bytes of a write-ahead log that nobody has emptied for long."""

OTHER: Final = """
import sqlite3, sys
file, statement, timeout = sys.argv[1:]
try:
    sqlite3.connect(file, timeout=float(timeout), isolation_level=None, uri=True).execute(statement)
except sqlite3.Error as error:
    print(error)
else:
    print("done")
"""
"""A process that does something with a database, and says what came of it."""


def examine(file: Path) -> Iterator[Diagnosis]:
    """Look at the disk of a database, which need not be there yet, and at how SQLite gets on with it."""
    folder = file.resolve().parent
    number = sqlite3.sqlite_version
    yield judged(
        "version",
        f"SQLite {number}",
        {State.PROBLEM: sqlite3.sqlite_version_info < OLDEST},
        f"use a Python with SQLite {'.'.join(map(str, OLDEST))} or later",
    )
    if not folder.is_dir():
        yield problem("folder", f"there is no folder {folder}", "make it, or give another file")
        return
    yield from disk.examine(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".stamp-doctor-", dir=folder) as name:
            yield from _trials(Path(name) / "probe.db")
    except (OSError, sqlite3.Error) as error:
        yield problem("database", f"none can be made in {folder}: {error}", "let the user of the workers write there")
    if file.exists():
        yield from _file(file)


def _trials(probe: Path) -> Iterator[Diagnosis]:
    """Do what workers do to a database of our own, on the same disk."""
    with closing(sqlite3.connect(probe, isolation_level=None)) as connection:
        [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        yield judged(
            "write-ahead log",
            "works on this disk" if mode == "wal" else f"does not work on this disk: journal_mode is {mode}",
            {State.PROBLEM: mode != "wal"},
            "use another disk: on this one readers and writers would wait for one another",
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE probe (number)")
        times = [_commit(connection, number) for number in range(ROUNDS)]
        yield _pace(median(times))
        yield _lock(connection, probe)


def _commit(connection: sqlite3.Connection, number: int) -> float:
    began = perf_counter()
    connection.execute("INSERT INTO probe VALUES (?)", (number,))
    return perf_counter() - began


def _pace(time: float) -> Diagnosis:
    found = f"synchronous = FULL, a commit takes {time * 1e3:.2f} ms"
    if time < FAST:
        return judged(
            "commits",
            found,
            {State.WARNING: True},
            "no disk is that fast: see whether it is one, and whether something ignores fsync",
        )
    return judged(
        "commits", found, {State.WARNING: time > SLOW}, "use a faster disk: every group of works waits for it"
    )


def _lock(connection: sqlite3.Connection, probe: Path) -> Diagnosis:
    """Return whether another process can open the database, and is kept from writing while we do."""
    connection.execute("BEGIN IMMEDIATE")
    meanwhile = _other(probe, "BEGIN IMMEDIATE")
    connection.execute("COMMIT")
    afterwards = _other(probe, "BEGIN IMMEDIATE")
    if (meanwhile, afterwards) == ("database is locked", "done"):
        return ok("locks", "another process can open it, and waits for its turn to write")
    advice = "use a disk of this machine: two workers would write at the same time, and damage the database"
    return problem("locks", f"another process, while we write: {meanwhile}; afterwards: {afterwards}", advice)


def _other(file: Path, statement: str, *, timeout: float = 0) -> str:
    """Return what another process says that does this, waiting for others for so many seconds."""
    command = [sys.executable, "-I", "-c", OTHER, _uri(file), statement, str(timeout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own program
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def _uri(file: Path) -> str:
    """Return the address by which SQLite opens a file that is there, and makes none."""
    return f"{file.resolve().as_uri()}?mode=rw"


def _mode(file: Path) -> Diagnosis:
    """Tell the mode that a database is in, which a look does not change."""
    try:
        with closing(sqlite3.connect(_uri(file), uri=True, timeout=PATIENCE)) as connection:
            [mode] = connection.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error as error:
        return problem("journal_mode", f"it cannot be read: {error}", "end the programs that keep the database locked")
    return ok("journal_mode", mode if mode == "wal" else f"{mode}: the first worker that uses it changes that to wal")


def _file(file: Path) -> Iterator[Diagnosis]:
    said = _other(file, "SELECT count(*) FROM sqlite_master", timeout=PATIENCE)
    advice = "let the user of the workers read and write it, and the files beside it; or restore it, if it is damaged"
    yield judged(
        "file", "another process can open it" if said == "done" else said, {State.PROBLEM: said != "done"}, advice
    )
    if said == "done":
        yield _mode(file)
    log = file.with_name(f"{file.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    found = f"{file.stat().st_size / 2**20:,.1f} MiB, and {size / 2**20:,.1f} MiB of write-ahead log"
    yield judged(
        "size",
        found,
        {State.WARNING: size > LARGE},
        "somebody has been reading for long: end programs that hold a transaction open",
    )
