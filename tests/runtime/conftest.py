"""Real brokers: those that every machine has, and Redis where one is running (in CI it must be)."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stamp.runtime.connection import Connection

REDIS = os.environ.get("STAMP_TEST_REDIS", "redis://127.0.0.1:6379/0")

Connect = Callable[[], Connection]


@pytest.fixture
def name() -> str:
    """A name that no other test uses: most brokers outlive a test."""
    return f"stamp-test-{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "filesystem", "sql", "redis"])
def connect(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Iterator[Connect]:
    """Return what opens one more connection to the same broker."""
    with ExitStack() as stack:
        url, options = BROKERS[request.param](stack, tmp_path, name)
        yield lambda: stack.enter_context(Connection(url, transport_options=options))


@pytest.fixture
def connection(connect: Connect) -> Connection:
    return connect()


Broker = tuple[str, dict[str, Any]]


def memory(stack: ExitStack, folder: Path, name: str) -> Broker:
    from kombu.transport.memory import Channel

    stack.callback(lambda: [Channel.queues.pop(each) for each in list(Channel.queues) if name in each])
    return "memory://", {}


def filesystem(stack: ExitStack, folder: Path, name: str) -> Broker:
    messages, done, control = (folder / each for each in ("messages", "done", "control"))
    for each in (messages, done, control):
        each.mkdir()
    return "filesystem://", {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "store_processed": True,
        "processed_folder": str(done),
        "control_folder": str(control),
    }


def sql(stack: ExitStack, folder: Path, name: str) -> Broker:
    needs("sqlalchemy")
    from sqlalchemy.exc import SADeprecationWarning
    from sqlalchemy.orm import configure_mappers

    address = f"sqlite:///{folder / 'broker.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SADeprecationWarning)  # kombu's models, with SQLAlchemy 2.1
        with Connection(f"sqla+{address}") as connection:
            engine, _ = connection.default_channel._open()
            configure_mappers()
    stack.callback(engine.dispose)
    return f"sqla+{address}", {}


def redis(stack: ExitStack, folder: Path, name: str) -> Broker:
    needs("redis")
    from redis import Redis
    from redis.exceptions import ConnectionError as NoRedisError

    client = stack.enter_context(Redis.from_url(REDIS, socket_connect_timeout=1))
    try:
        client.ping()
    except NoRedisError as error:
        absent(f"no Redis at {REDIS}: {error}")
    stack.callback(lambda: [client.delete(key) for key in client.scan_iter(f"{name}*")])
    return REDIS, {"global_keyprefix": name}


BROKERS = {each.__name__: each for each in (memory, filesystem, sql, redis)}


def needs(library: str) -> None:
    try:
        __import__(library)
    except ImportError:
        absent(f"{library} is not installed")


def absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; in CI nothing is skipped for that")
    pytest.skip(reason)
