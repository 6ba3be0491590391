"""Stores of every kind: SQLite in a file and in memory, and PostgreSQL where one is running (in CI it must be)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp.store.message import Message
from stamp.store.store import Store

POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")

Url = str


@pytest.fixture(params=["file", "memory", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Url]:
    """The address of an empty database."""
    with DATABASES[request.param](tmp_path) as url:
        yield url


@pytest.fixture(params=["file", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Url]:
    """The address of an empty database that several processes can use, and that outlives them."""
    with DATABASES[request.param](tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_url(tmp_path: Path) -> Iterator[Url]:
    with postgresql(tmp_path) as url:
        yield url


@pytest.fixture
def store(url: Url) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def shared_store(shared_url: Url) -> Iterator[Store]:
    with Store.open(shared_url) as store:
        yield store


@pytest.fixture(scope="session")
def message() -> Callable[..., Message]:
    """Return what makes messages: each number is another event."""

    def make(number: int = 1, *, run: str = "", workflow: str = "ticket", body: bytes = b"body") -> Message:
        event_id = sha256(str(number).encode()).digest()[:16]
        return Message(workflow, run, "TicketCreated", event_id, body, {"ce-id": event_id.hex()})

    return make


@contextmanager
def file(folder: Path) -> Iterator[Url]:
    yield f"sqlite:///{folder / 'stamp.db'}"


@contextmanager
def memory(folder: Path) -> Iterator[Url]:
    yield "sqlite://"


@contextmanager
def postgresql(folder: Path) -> Iterator[Url]:
    """A schema of its own in the database for tests."""
    engine = create_engine(make_url(POSTGRESQL).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"stamp_test_{uuid.uuid4().hex}"
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except OperationalError as error:
        absent(f"no PostgreSQL at {POSTGRESQL}: {error.orig}")
    yield f"{POSTGRESQL}?options=-csearch_path%3D{name}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


DATABASES: dict[str, Callable[[Path], AbstractContextManager[Url]]] = {
    each.__name__: each for each in (file, memory, postgresql)
}


def absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; in CI nothing is skipped for that")
    pytest.skip(reason)
