"""Commands that only read take a database as it is: no byte of it changes, and none comes into being."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stamp.store.store import Store

READERS = (
    ("check", "schemas", "--against", "store:{url}"),
    ("plan", "schemas", "--against", "store:{url}"),
    ("contracts", "list", "--store", "{url}"),
    ("contracts", "pull", "--store", "{url}"),
    ("decode", "--store", "{url}"),
    ("dlq", "list", "--store", "{url}"),
    ("doctor", "--store", "{url}"),
)


def foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE ours (number)")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def empty(file: Path) -> None:
    file.touch()


def moved(file: Path) -> None:
    """Make a database of stamp that somebody has taken out of WAL mode, such as for a backup."""
    Store.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)


def none(file: Path) -> None:
    assert not file.exists()


@pytest.fixture(autouse=True)
def contracts(here: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "schemas" / "ticket", here / "schemas" / "ticket")


@pytest.mark.parametrize("url", ["sqlite:///f.db", "sqlite:///file:f.db?uri=true"])
@pytest.mark.parametrize("command", READERS, ids=" ".join)
@pytest.mark.parametrize("made", [foreign, empty, moved, none])
def test_a_database_stays_as_it_is(
    made: Callable[[Path], None], command: tuple[str, ...], url: str, here: Path, stamp: Callable[..., Any]
) -> None:
    made(here / "f.db")
    before = {each.name: each.read_bytes() for each in here.glob("f.db*")}

    stamp(*(each.format(url=url) for each in command))

    assert {each.name: each.read_bytes() for each in here.glob("f.db*")} == before


@pytest.mark.parametrize(("made", "mode"), [(foreign, "delete: the first worker"), (moved, "delete: the first worker")])
def test_the_doctor_tells_the_mode_that_is_there(made, mode, here, stamp):
    made(here / "f.db")
    said = " ".join(stamp("doctor", "--store", "sqlite:///f.db").stdout.split())
    assert f"journal_mode {mode}" in said


def test_who_makes_tables_sets_the_mode(here):
    moved(here / "f.db")
    Store.open("sqlite:///f.db").close()
    with closing(sqlite3.connect(here / "f.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
