"""From the URL of a broker to its transport; each is imported when it is wanted."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.runtime.transport import Transport

__all__ = ["transport"]


class Kind(NamedTuple):
    """Where a transport is, and the extra with which its library is installed."""

    module: str
    name: str
    extra: str | None = None


KINDS: Final = {
    "amqp": Kind("rabbitmq", "RabbitMQ"),
    "amqps": Kind("rabbitmq", "RabbitMQ"),
    "pyamqp": Kind("rabbitmq", "RabbitMQ"),
    "redis": Kind("redis", "Redis", "redis"),
    "rediss": Kind("redis", "Redis", "redis"),
}
"""The transports by the scheme of their URLs."""


def transport(url: str) -> Transport:
    """Return the transport for a broker at `url`. Nothing is connected yet.

    Raises:
        InputError: no broker that stamp knows, or its library is not installed.
    """
    scheme, colon, _ = url.partition(":")
    kind = KINDS.get(scheme)
    if kind is None or not colon:
        near = get_close_matches(scheme, KINDS, n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise InputError(
            f"expected the URL of a broker ({', '.join(KINDS)}), got one that begins with {scheme!r}{hint}"
        )
    try:
        module = import_module(f"stamp.runtime.transports.{kind.module}")
    except ModuleNotFoundError as error:
        if kind.extra is None:
            raise
        text = f"expected {error.name}, which {scheme} needs: pip install 'stamp-coupling[{kind.extra}]'"
        raise InputError(text) from error
    made: Transport = getattr(module, kind.name)(url)
    return made
