"""The command line, the example played with it, and small workflows that misbehave."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import amqp
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp.cli.main import cli

Stamp = Callable[..., Result]


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is as wide as it is without a terminal, whatever the tests run in."""
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="session")
def stamp() -> Stamp:
    """Return `stamp(*arguments, input=b"")`, the command run in this process."""

    def run(*arguments: object, input: bytes = b"") -> Result:  # noqa: A002 - click calls it so
        return CliRunner().invoke(cli, [str(each) for each in arguments], input=input)

    return run


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory, stamp: Stamp) -> Path:
    """Return a folder with tickets.jsonl, events.avro and schemas/, of one hundred tickets."""
    folder = tmp_path_factory.mktemp("kept") / "demo"
    assert stamp("demo", "--keep", folder).exit_code == 0
    return folder


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, stamp: Stamp) -> Path:
    """Return such a folder of three tickets."""
    folder = tmp_path_factory.mktemp("few") / "demo"
    assert stamp("demo", "--tickets", 3, "--keep", folder).exit_code == 0
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty current folder; modules that are imported from it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write_lines(here: Path) -> Callable[[Sequence[Any]], Path]:
    """Return `write_lines(lines)`: bytes go into the file as they are, other values as JSON."""

    def write(lines: Sequence[Any]) -> Path:
        file = here / "lines.jsonl"
        encoded = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
        file.write_bytes(b"".join(each + b"\n" for each in encoded))
        return file

    return write


SMALL = """
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from stamp import Fail, Workflow

order = Workflow("order")
two_starts = Workflow("two")
number = 4729

class Address(BaseModel):
    street: str
    city: str = ""

class Order(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=40, decimal_places=10)] = Decimal(0)
    weight: float = 0.0
    big: int = 0
    at: datetime | None = None
    address: Address | None = None
    do: str = ""

class Do(BaseModel):
    do: str

class Done(BaseModel):
    text: str

order.starts("order", Order, emits="Ordered")

@order.step(on="Ordered", emits="Done")
def work(order: Do) -> Done | None:
    if order.do == "crash":
        raise KeyError(order.do)
    if order.do == "fail":
        raise Fail("no stock")
    return None if order.do == "nothing" else Done(text=order.do)

two_starts.starts("one", Order, emits="One")
two_starts.starts("other", Address, emits="Other")
"""


@pytest.fixture
def small(here: Path) -> str:
    """Return the name of a module in the current folder that has the workflows `order` and `two_starts`."""
    (here / "small.py").write_text(SMALL)
    return "small"


POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
RABBITMQ = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail in CI, where every service must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; in CI nothing is skipped for that")
    pytest.skip(reason)


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Yield the address of an empty schema of a PostgreSQL."""
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    url: str = request.getfixturevalue("postgresql")
    return url


@pytest.fixture
def rabbitmq() -> Iterator[tuple[str, str, amqp.Channel]]:
    """Yield the address of a RabbitMQ, the name of a workflow that nobody else has, and a channel to look behind the transport."""
    parts = make_url(RABBITMQ)
    try:
        with amqp.Connection(f"{parts.host}:{parts.port or 5672}", parts.username, parts.password) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            name = f"shop-{uuid.uuid4().hex[:12]}"
            yield RABBITMQ, name, channel
            for step in ("payment", "parcel"):
                channel.queue_delete(f"{name}.{step}")
                channel.queue_delete(f"{name}.{step}.dead")
            channel.exchange_delete(name)
    except OSError as error:
        absent(f"no RabbitMQ at {RABBITMQ}: {error}")
