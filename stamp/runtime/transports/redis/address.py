"""Where a Redis server is, and how its streams are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from redis.connection import Connection, SSLConnection

from stamp.errors import InputError
from stamp.url import Secrets, Url, whole

__all__ = ["Address"]

EXAMPLE: Final = "redis://user:password@host:6379/0?redeliver=30"

SECONDS: Final = {"redeliver": (0.2, 86_400.0), "timeout": (0.1, 600.0)}
TLS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")  # as redis-py calls them; each is a path
OPTIONS: Final = ("prefix", *SECONDS, *TLS)
LARGEST_DATABASE: Final = 2**31 - 1


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
    secrets: Secrets = field(repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `redis://` or `rediss://` URL.

        Raises:
            InputError: it is none, or has an option that is not known. The text does not show the URL: there may be a password in it.
        """
        read = Url.parse(url, what="a Redis server", expected=f"a URL such as {EXAMPLE}")
        read.only(*OPTIONS)
        tls = {name: read.options[name] for name in TLS if name in read.options}
        if tls and read.scheme != "rediss":
            raise InputError(f"{' and '.join(tls)} need a connection with TLS; write rediss:// instead of redis://")
        host, port = read.server("localhost", 6379)
        return cls(
            host=host,
            port=port,
            db=_database(read),
            user=read.user or None,
            password=read.password or None,
            tls=tls if read.scheme == "rediss" else None,
            prefix=read.options.get("prefix", "stamp"),
            redeliver=read.seconds("redeliver", *SECONDS["redeliver"]) or 30.0,
            timeout=read.seconds("timeout", *SECONDS["timeout"]) or 10.0,
            secrets=read.secrets,
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


def _database(url: Url) -> int:
    number = whole(url.path.strip("/") or "0", 0, LARGEST_DATABASE)
    if number is None:
        raise InputError(f"expected the number of a database after the host, as in {EXAMPLE}, got something else there")
    return number
