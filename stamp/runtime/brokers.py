"""From the URL of a broker to its transport; each is imported when it is wanted."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.runtime.transport import Transport
from stamp.url import scheme_of

__all__ = ["transport"]


class Kind(NamedTuple):
    """Where a transport is, and the extra with which its library is installed."""

    module: str
    name: str
    extra: str | None = None


RABBITMQ: Final = Kind("rabbitmq", "RabbitMQ")
REDIS: Final = Kind("redis", "Redis", "redis")
KAFKA: Final = Kind("kafka", "Kafka", "kafka")
SQS: Final = Kind("sqs", "SQS", "sqs")
SQL: Final = Kind("sql", "Sql")

KINDS: Final = {
    "amqp": RABBITMQ,
    "amqps": RABBITMQ,
    "pyamqp": RABBITMQ,
    "redis": REDIS,
    "rediss": REDIS,
    "kafka": KAFKA,
    "kafkas": KAFKA,
    "sqs": SQS,
    "sqla+postgresql": SQL,
    "sqla+postgres": SQL,
    "sqla+postgresql+psycopg": SQL,
    "sqla+sqlite": SQL,
    "sqla+sqlite+pysqlite": SQL,
    "filesystem": Kind("filesystem", "Filesystem"),
    "memory": Kind("memory", "Memory"),
}
"""The transports by the scheme of their URLs."""

SHOWN: Final = (
    "amqp",
    "amqps",
    "redis",
    "rediss",
    "kafka",
    "kafkas",
    "sqs",
    "sqla+postgresql",
    "sqla+sqlite",
    "filesystem",
    "memory",
)

MEANT: Final = {
    "rabbitmq": "amqp",
    "rabbit": "amqp",
    "confluentkafka": "kafka",
    "file": "filesystem",
    "postgresql": "sqla+postgresql",
    "postgres": "sqla+postgresql",
    "sqlite": "sqla+sqlite",
    "sqlalchemy": "sqla+postgresql",
    "sqla": "sqla+postgresql",
}
"""Schemes that others use for the same."""


def transport(url: str) -> Transport:
    """Return the transport for a broker at `url`. Nothing is connected yet.

    Raises:
        InputError: no broker that stamp knows, or its library is not installed.
    """
    scheme = scheme_of(url)
    kind = KINDS.get(scheme)
    if kind is None:
        raise _unknown(scheme)
    try:
        module = import_module(f"stamp.runtime.transports.{kind.module}")
    except ModuleNotFoundError as error:
        raise InputError(f"expected the library {error.name}, which {scheme}: URLs need{_remedy(kind)}") from error
    made: Transport = getattr(module, kind.name)(url)
    return made


def _unknown(scheme: str) -> InputError:
    """Say what is wrong with a scheme; not with the rest of the URL, in which there may be a password."""
    known = f"expected the URL of a broker, which begins with {', '.join(f'{each}:' for each in SHOWN[:-1])} or {SHOWN[-1]}:"
    if not scheme:
        return InputError(f"{known}; got something without that")
    near = MEANT.get(scheme) or next(iter(get_close_matches(scheme, KINDS, n=1)), None)
    return InputError(f"{known}; got {scheme!r}" + (f": did you mean {near}:?" if near else ""))


def _remedy(kind: Kind) -> str:
    if kind.extra is None:
        return " and this system does not have"
    return f": pip install 'stamp-coupling[{kind.extra}]'"
