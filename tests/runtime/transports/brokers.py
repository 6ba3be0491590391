"""The transports that the contract suite runs on: one entry in `TABLE` each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp.runtime.transport import Promises, Transport
from stamp.runtime.transports.documents import directory_name
from stamp.runtime.transports.filesystem import Filesystem
from stamp.runtime.transports.kafka import Kafka
from stamp.runtime.transports.memory import Memory
from stamp.runtime.transports.rabbitmq import RabbitMQ
from stamp.runtime.transports.redis import Redis
from stamp.runtime.transports.sql import Sql
from stamp.runtime.transports.sqs import SQS
from stamp.runtime.transports.sqs.names import name_of
from stamp.runtime.transports.virtual.content import Content

from .kafka_cluster import SESSION
from .proxy import Proxy

STEPS = {"alpha": ["Ordered"], "beta": ["Ordered", "Paid"], "gamma": ["Paid"]}
"""Who listens to what in every test of the suite: an entry can clean up without being told."""

LATE = {"delta": ["Ordered", "Finished"]}
"""A listener that comes later, in some tests."""


def queues(name: str) -> list[str]:
    """The queues of workflow `name` that there may be, but for those of dead letters."""
    return [f"{name}.{step}" for step in STEPS | LATE]


def sibling(name: str) -> str:
    """Another workflow, which has nothing but a directory, beside that called `name`."""
    return f"{name}-2"


class Foreign(NamedTuple):
    """A message that no sender of ours made."""

    body: bytes
    headers: Mapping[str, Any] = {}
    content_type: str | None = None
    content_encoding: str | None = None


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A broker in a namespace that no other test uses, and how to reach behind the transport.

    `factory` is "module:name" of the transport, and takes `arguments` and `options`, which JSON can hold: a second process builds it
    from them. `inject` puts a message into a queue, past every sender of ours. `letters` empties the dead letter queue of
    a queue; None if there are none. `port`: where its server listens, and `through(port)` the same broker behind another
    port; None if there is no server. `settles`: seconds after which what has not arrived will
    not. `secrets`: what must not be seen in any text. `wire(port)`: what can be cut; of another kind when a broker tells its clients where it is.
    `has_only_texts`: whether headers of messages can be nothing else. `many`: how many messages a test may send at most.
    `apart`: arguments for a namespace beside this one, where the transport has such a thing.
    """

    factory: str
    arguments: Sequence[Any]
    inject: Callable[[str, Foreign], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    letters: Callable[[str], list[Foreign]] | None = None
    port: int | None = None
    through: Callable[[int], Sequence[Any]] | None = None
    settles: float = 0.15
    secrets: Sequence[str] = ()
    wire: Callable[[int], Proxy] = Proxy
    has_only_texts: bool = False
    many: int = 250
    apart: Sequence[Any] | None = None

    def transport(self) -> Transport:
        return resolve_name(self.factory)(*self.arguments, **self.options)

    def behind(self, port: int) -> Broker:
        assert self.through is not None
        return replace(self, arguments=self.through(port))

    def recipe(self) -> str:
        """What another process needs to build the transport."""
        return json.dumps([self.factory, list(self.arguments), dict(self.options)])


class Entry(NamedTuple):
    """A transport in the table: its title in the docs, what it promises by default, how to get a fresh broker, and whether that is a server.

    `open(stack, folder, name)` leaves with `stack` what cleans up. The workflow is called `name`, and has the queues `queues(name)`;
    `sibling(name)` has a directory.
    """

    title: str
    promises: Promises
    open: Callable[[ExitStack, Path, str], Broker]
    is_server: bool = True


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail in CI, where every service must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; in CI nothing is skipped for that")
    pytest.skip(reason)


RABBITMQ = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")


def rabbitmq(stack: ExitStack, folder: Path, name: str) -> Broker:
    import amqp

    parts = urlsplit(RABBITMQ)
    host, port = parts.hostname, parts.port or 5672
    try:
        login = parts.username or "guest", parts.password or "guest"
        connection = stack.enter_context(amqp.Connection(f"{host}:{port}", *login, virtual_host=parts.path[1:] or "/"))
    except OSError as error:
        absent(f"no RabbitMQ at {host}:{port}: {error}")
    channel = connection.channel()
    channel.auto_decode = False

    def clean() -> None:
        for queue in queues(name):
            channel.queue_delete(queue)
            channel.queue_delete(f"{queue}.dead")
        channel.exchange_delete(name)
        for workflow in (name, sibling(name)):
            channel.queue_delete(directory_name(workflow))

    def inject(queue: str, message: Foreign) -> None:
        properties = {"content_type": message.content_type, "content_encoding": message.content_encoding}
        content = amqp.Message(message.body, application_headers=dict(message.headers), **properties)
        channel.basic_publish_confirm(content, "", queue, mandatory=True)

    def letters(queue: str) -> list[Foreign]:
        taken = iter(lambda: channel.basic_get(f"{queue}.dead", no_ack=True), None)
        return [
            Foreign(each.body or b"", each.headers, *map(each.properties.get, ("content_type", "content_encoding")))
            for each in taken
        ]

    stack.callback(clean)
    return Broker(
        factory="stamp.runtime.transports.rabbitmq:RabbitMQ",
        arguments=[RABBITMQ],
        inject=inject,
        letters=letters,
        port=port,
        secrets=[f":{login[1]}@"],
        through=lambda port: [parts._replace(netloc=f"{login[0]}:{login[1]}@127.0.0.1:{port}").geturl()],
    )


REDIS = os.environ.get("STAMP_TEST_REDIS", "redis://127.0.0.1:6379/0")


def redis(stack: ExitStack, folder: Path, name: str) -> Broker:
    import redis

    parts = urlsplit(REDIS)
    port = parts.port or 6379
    client = stack.enter_context(redis.Redis.from_url(REDIS, socket_connect_timeout=1))
    try:
        client.ping()
    except redis.ConnectionError as error:
        absent(f"no Redis at {REDIS}: {error}")
    prefix = f"test:{name}"
    stack.callback(lambda: [client.delete(key) for key in client.scan_iter(f"{prefix}*")])
    # Without a password of its own the server takes any for its default user.
    login = f"{parts.username or 'default'}:{parts.password or 'a-password'}"
    options = f"prefix={prefix}&redeliver=1"
    apart = f"prefix={prefix}-apart&redeliver=1"

    def inject(queue: str, message: Foreign) -> None:
        texts = {"content-type": message.content_type, "content-encoding": message.content_encoding}
        known = {field: text for field, text in texts.items() if text is not None}
        client.xadd(f"{prefix}:{queue}", {"body": message.body, "headers": json.dumps(message.headers), **known})

    def letters(queue: str) -> list[Foreign]:
        def text(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
            return None if name not in fields else fields[name].decode()

        return [
            Foreign(
                fields[b"body"],
                json.loads(fields[b"headers"]),
                text(fields, b"content-type"),
                text(fields, b"content-encoding"),
            )
            for _, fields in client.xrange(f"{prefix}:{queue}.dead")
        ]

    def url(port: int, query: str = options) -> str:
        return parts._replace(netloc=f"{login}@{parts.hostname}:{port}", query=query).geturl()

    return Broker(
        factory="stamp.runtime.transports.redis:Redis",
        arguments=[url(port)],
        inject=inject,
        letters=letters,
        port=port,
        secrets=[login.partition(":")[2]],
        through=lambda port: [url(port)],
        apart=[url(port, apart)],
    )


def behind(transport: Transport) -> tuple[Callable[[str, Foreign], None], Callable[[str], list[Foreign]]]:
    """Reach behind a transport without a server: with its own tools, because nobody else has any."""

    def inject(queue: str, message: Foreign) -> None:
        place = transport._open()
        assert place.put([(queue, Content(*message))]) == [True]
        place.close()

    def letters(queue: str) -> list[Foreign]:
        place = transport._open()
        place.create([f"{queue}.dead"])
        taken = place.take([f"{queue}.dead"], 1000)
        place.done(taken)
        place.close()
        return [Foreign(*each.content[:4]) for each in taken]

    return inject, letters


def memory(stack: ExitStack, folder: Path, name: str) -> Broker:
    url = f"memory://{name}"
    inject, letters = behind(Memory(url))
    return Broker(
        factory="stamp.runtime.transports.memory:Memory",
        arguments=[url],
        inject=inject,
        letters=letters,
        apart=[f"{url}-apart"],
    )


def filesystem(stack: ExitStack, folder: Path, name: str) -> Broker:
    url = f"filesystem://{folder / 'a folder of queues'}"
    inject, letters = behind(Filesystem(url))
    factory = "stamp.runtime.transports.filesystem:Filesystem"
    return Broker(factory=factory, arguments=[url], inject=inject, letters=letters, apart=[f"{url} apart"])


def sqlite(stack: ExitStack, folder: Path, name: str) -> Broker:
    url = f"sqla+sqlite:///{folder / 'queues.db'}?redeliver=1"
    inject, letters = behind(Sql(url))
    return Broker(
        factory="stamp.runtime.transports.sql:Sql",
        arguments=[url],
        inject=inject,
        letters=letters,
        apart=[f"sqla+sqlite:///{folder / 'apart.db'}"],
    )


POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


def postgresql(stack: ExitStack, folder: Path, name: str) -> Broker:
    server = make_url(POSTGRESQL).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    stack.callback(engine.dispose)
    schema = name[:60]
    apart = f"{name[:57]}-2"

    def execute(statement: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(statement))

    try:
        execute(f'CREATE SCHEMA "{schema}"; CREATE SCHEMA "{apart}"')
    except OperationalError as error:
        absent(f"no PostgreSQL at {server}: {error}")
    stack.callback(execute, f'DROP SCHEMA "{schema}", "{apart}" CASCADE')

    def url(port: int, schema: str = schema) -> str:
        # Where the server trusts its own machine, it takes any password.
        login = server.set(drivername="sqla+postgresql", port=port, password=server.password or "a-password")
        query = {"options": f"-csearch_path={schema}", "redeliver": "1"}
        return login.update_query_dict(query).render_as_string(hide_password=False)

    port = server.port or 5432
    inject, letters = behind(Sql(url(port)))
    return Broker(
        factory="stamp.runtime.transports.sql:Sql",
        arguments=[url(port)],
        inject=inject,
        letters=letters,
        port=port,
        through=lambda port: [url(port)],
        secrets=[server.password or "a-password"],
        apart=[url(port, apart)],
    )


def kafka(stack: ExitStack, folder: Path, name: str) -> Broker:
    from .kafka_cluster import PARTITIONS, Wire, clerk, cluster, inject, letters

    servers, port = cluster(), clerk().port

    def url(port: int) -> str:
        options = f"check=no&session={SESSION}&partitions={PARTITIONS}&security.protocol=PLAINTEXT"  # the mock does not ask who we are
        return f"kafka://user:a-password@127.0.0.1:{port}?{options}"

    return Broker(
        factory="stamp.runtime.transports.kafka:Kafka",
        arguments=[url(port)],
        inject=lambda queue, message: inject(servers, queue, *message),
        letters=lambda queue: [Foreign(*each) for each in letters(servers, queue)],
        port=port,
        through=lambda port: [url(port)],
        settles=0.8,  # who joins a group that somebody left waits for 0.3 s of it
        secrets=["a-password"],
        wire=Wire,
        has_only_texts=True,
    )


def sqs(stack: ExitStack, folder: Path, name: str) -> Broker:
    # Not `absent`: moto takes a minute to install, so it is not in `dev`, and not in CI.
    pytest.importorskip("moto", reason="no moto; pip install '.[dev-sqs]'")
    from . import sqs_server

    def url(port: int) -> str:
        options = f"endpoint=http://127.0.0.1:{port}&visibility={sqs_server.VISIBILITY}&timeout=2"
        return f"sqs://a-key:a-secret@eu-central-1?{options}"

    return Broker(
        factory="stamp.runtime.transports.sqs:SQS",
        arguments=[url(sqs_server.port())],
        inject=lambda queue, message: sqs_server.inject(name_of(queue), *message),
        letters=lambda queue: [Foreign(*each) for each in sqs_server.letters(name_of(f"{queue}.dead"))],
        port=sqs_server.port(),
        through=lambda port: [url(port)],
        settles=0.5,
        secrets=["a-secret"],
        many=40,  # moto looks at every message that was ever sent, whenever somebody asks for one
    )


TABLE: Mapping[str, Entry] = {
    "rabbitmq": Entry("RabbitMQ", RabbitMQ("amqp://").promises, rabbitmq),
    "redis": Entry("Redis", Redis("redis://").promises, redis),
    "kafka": Entry("Kafka", Kafka("kafka://").promises, kafka),
    "sqs": Entry("Amazon SQS", SQS("sqs://").promises, sqs),
    "postgresql": Entry("PostgreSQL", Sql("sqla+postgresql://host/database").promises, postgresql),
    "sqlite": Entry("SQLite", Sql("sqla+sqlite:///queues.db").promises, sqlite, is_server=False),
    "filesystem": Entry("a folder", Filesystem("filesystem:///queues").promises, filesystem, is_server=False),
    "memory": Entry("memory", Memory("memory://").promises, memory, is_server=False),
}
