"""What a trial runs on: a store for all services, or a broker with a store for each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import amqp
from shared.recorded import EFFECTS
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp.store.store import Store

__all__ = ["GROUNDS", "AbsentError", "Ground"]

RABBITMQ: Final = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
POSTGRESQL: Final = os.environ.get("STAMP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")


class AbsentError(Exception):
    """A server that does not answer."""


class Ground(Protocol):
    """Where services find one another, in a namespace of its own: `workflow` is a name that nobody else uses.

    `broker` is a URL or empty. `place` are the options of `stamp contracts` for what is announced, `baseline` is the same for `--against`. `stores` are those that
    there are so far.
    """

    workflow: str
    broker: str
    place: Sequence[str]
    baseline: str
    stores: Mapping[str, Store]

    def store(self, service: str) -> str:
        """Return the URL of the store of a service, which is there and has a table for effects."""

    def clean(self, steps: Sequence[str]) -> None:
        """Remove what these steps have left outside of the folder."""


class Embedded:
    """One SQLite file for all services, and no broker."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.workflow = f"ticket-{uuid4().hex[:8]}"
        self.broker = ""
        self._url = f"sqlite:///{folder / 'stamp.db'}"
        self.place, self.baseline = ["--store", self._url], f"store:{self._url}"
        self.stores = {"all": _prepared(stack, self._url)}

    def store(self, service: str) -> str:
        return self._url

    def clean(self, steps: Sequence[str]) -> None:
        """Leave it to whoever removes the folder."""


class RabbitMQ:
    """RabbitMQ carries the events, and each service has a database of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.workflow = f"ticket-{uuid4().hex[:8]}"
        self.broker = RABBITMQ
        self.place, self.baseline = ["--broker", RABBITMQ], f"broker:{RABBITMQ}"
        self.stores: dict[str, Store] = {}
        self._stack = stack
        self._url = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)
        try:
            self._server = stack.enter_context(engine.connect())
        except OperationalError as error:
            raise AbsentError(f"no PostgreSQL at {self._url}: {error}") from error
        parts = make_url(RABBITMQ)
        try:
            self._amqp = stack.enter_context(
                amqp.Connection(f"{parts.host}:{parts.port or 5672}", parts.username, parts.password)
            )
        except OSError as error:
            raise AbsentError(f"no RabbitMQ at {parts.host}: {error}") from error

    def store(self, service: str) -> str:
        url = self._url.set(database=f"{self.workflow}-{service}")
        if service not in self.stores:
            self._server.execute(text(f'CREATE DATABASE "{url.database}" STRATEGY file_copy'))
            self._stack.callback(self._drop, url)
            self.stores[service] = _prepared(self._stack, _shown(url))
        return _shown(url)

    def _drop(self, url: URL) -> None:
        self._server.execute(text(f'DROP DATABASE "{url.database}" WITH (FORCE)'))

    def clean(self, steps: Sequence[str]) -> None:
        channel = self._amqp.channel()
        for step in steps:
            channel.queue_delete(f"{self.workflow}.{step}")
            channel.queue_delete(f"{self.workflow}.{step}.dead")
        channel.queue_delete(f"{self.workflow}.stamp.directory")
        channel.exchange_delete(self.workflow)


def _shown(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _prepared(stack: ExitStack, url: str) -> Store:
    store = stack.enter_context(Store.open(url))
    with store.begin() as tx:
        tx.execute(text(EFFECTS))
    return store


GROUNDS: Final[Mapping[str, Callable[[ExitStack, Path], Ground]]] = {
    "embedded": Embedded,
    "rabbitmq+postgresql": RabbitMQ,
}
