"""Where a Redis server is, and how its streams are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.connection import Connection, SSLConnection

from stamp.errors import InputError

__all__ = ["Address"]

EXAMPLE: Final = "redis://user:password@host:6379/0?redeliver=30"

SECONDS: Final = {"redeliver": (0.2, 86_400.0), "timeout": (0.1, 600.0)}
TLS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")  # as redis-py calls them; each is a path
OPTIONS: Final = ("prefix", *SECONDS, *TLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server, a database in it, and options.

    `prefix` goes before the name of every key. After `redeliver` seconds a consumer that did not say that it is still at work counts as
    dead. `timeout` is how many seconds an answer may take.
    """

    host: str
    port: int
    db: int
    user: str | None
    password: str | None = field(repr=False)
    tls: Mapping[str, str] | None
    prefix: str
    redeliver: float
    timeout: float

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `redis://` or `rediss://` URL.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a password in it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InputError(f"expected a URL such as {EXAMPLE}: {error}") from None
        options = _options(parts)
        tls: dict[str, str] = {name: options[name] for name in TLS if name in options}
        if tls and parts.scheme != "rediss":
            raise InputError(f"{' and '.join(tls)} need a connection with TLS; write rediss:// instead of redis://")
        return cls(
            host=parts.hostname or "localhost",
            port=6379 if port is None else port,
            db=_database(parts.path),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls if parts.scheme == "rediss" else None,
            prefix=options.get("prefix", "stamp"),
            redeliver=_seconds("redeliver", options.get("redeliver", "30")),
            timeout=_seconds("timeout", options.get("timeout", "10")),
        )

    def key(self, queue: str) -> str:
        """Return the key of the stream that is `queue`."""
        return f"{self.prefix}:{queue}"

    def directory(self, workflow: str) -> str:
        """Return the key of the hash that is the directory of `workflow`. No stream has it: there is a dot in the name of a queue."""
        return f"{self.prefix}:{workflow}:directory"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'' if self.tls is None else 's'}://{host}:{self.port}/{self.db}"

    def connection(self) -> Connection:
        """Return a connection that is not yet open.

        RESP2, because its answers are the same for every redis-py; nothing is tried again behind our back, because what was sent ahead
        of an answer would be lost.
        """
        options: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "db": self.db,
            "username": self.user,
            "password": self.password,
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self.timeout,
            "socket_keepalive": True,
            "protocol": 2,
        }
        return Connection(**options) if self.tls is None else SSLConnection(**options, **dict[str, Any](self.tls))


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(OPTIONS))
    if unknown:
        raise InputError(f"the URL of a Redis server takes the options {', '.join(OPTIONS)}, not {', '.join(unknown)}")
    return options


def _database(path: str) -> int:
    number = path.strip("/") or "0"
    if not (number.isascii() and number.isdecimal()):
        raise InputError(f"expected the number of a database after the host, as in {EXAMPLE}, got {number!r}")
    return int(number)


def _seconds(name: str, text: str) -> float:
    least, most = SECONDS[name]
    try:
        seconds = float(text)
    except ValueError:
        raise InputError(f"expected a number of seconds for {name}, got {text!r}") from None
    if not least <= seconds <= most:
        raise InputError(f"expected between {least} and {most} seconds for {name}, got {text}")
    return seconds
