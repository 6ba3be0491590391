"""Where a RabbitMQ is, and how connections to it are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import unquote

from stamp.errors import InputError
from stamp.url import Secrets, Url

__all__ = ["Address"]

EXAMPLE: Final = "amqp://user:password@host:5672/virtual-host"

SCHEMES: Final = {"amqp": False, "pyamqp": False, "amqps": True}
"""Whether a scheme means TLS."""
PORTS: Final = {False: 5672, True: 5671}
HEARTBEAT: Final = 10
WINDOW: Final = 100
NUMBERS: Final = ("heartbeat", "window")
TLS: Final = {"ssl_ca_certs": "ca_certs", "ssl_certfile": "certfile", "ssl_keyfile": "keyfile"}
"""Options that are paths, and what py-amqp calls them."""
LARGEST: Final = 65_535
SHORT: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server and a virtual host of it, and options.

    `heartbeat` is in seconds: after two of them without a sign of life a connection is given up. A sender may be `window` messages ahead
    of the broker's confirms.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    virtual_host: str
    tls: Mapping[str, str] | None
    heartbeat: int
    window: int
    secrets: Secrets = field(repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> tuple[Self, ...]:
        """Read an `amqp://` or `amqps://` URL, or several with `;` between them: the nodes of a cluster, in the order to try them.

        Raises:
            InputError: it is none, or has an option that is not known. The text shows nothing of the URL but its options: there may be a
                password in it.
        """
        return tuple(cls._parse(each) for each in url.split(";"))

    @classmethod
    def _parse(cls, url: str) -> Self:
        read = Url.parse(url, what="a RabbitMQ", expected=f"{EXAMPLE}, or amqps:// for TLS")
        if read.scheme not in SCHEMES:
            raise read.refusal
        read.only(*NUMBERS, *TLS)
        is_tls = SCHEMES[read.scheme]
        paths = {name: read.options[name] for name in TLS if name in read.options}
        if paths and not is_tls:
            raise InputError(
                f"{' and '.join(paths)} need a connection with TLS; write amqps:// instead of {read.scheme}://"
            )
        host, port = read.server("127.0.0.1", PORTS[is_tls])
        return cls(
            host=host,
            port=port,
            user=read.user or "guest",
            password=read.password or "guest",
            virtual_host=_virtual_host(read),
            tls={TLS[name]: path for name, path in paths.items()} if is_tls else None,
            heartbeat=read.number("heartbeat", 1, LARGEST) or HEARTBEAT,
            window=read.number("window", 1, LARGEST) or WINDOW,
            secrets=read.secrets,
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = "" if self.virtual_host == "/" else f"/{self.virtual_host}"
        return f"amqp{'' if self.tls is None else 's'}://{self.user}@{host}:{self.port}{path}"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What kombu needs to connect. With TLS the server's certificate has to be valid, and for this host."""
        return {
            "hostname": self.host,
            "port": self.port,
            "userid": self.user,
            "password": self.password,
            "virtual_host": self.virtual_host,
            "heartbeat": self.heartbeat,
            "ssl": False if self.tls is None else {**self.tls, "server_hostname": self.host},
        }


def _virtual_host(url: Url) -> str:
    """Return the name behind the host, of 255 bytes at most, as AMQP has it; the default one is called "/"."""
    try:
        name = unquote(url.path[1:], errors="strict") or "/"
    except UnicodeDecodeError:
        raise url.refusal from None
    if len(name.encode()) > SHORT or not name.isprintable():
        raise InputError(
            f"expected the name of a virtual host after the host, of {SHORT} bytes at most, got another text"
        )
    return name
