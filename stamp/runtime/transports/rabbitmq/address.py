"""Where a RabbitMQ is, and how connections to it are used: what stands in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from stamp.errors import InputError

__all__ = ["Address"]

EXAMPLE: Final = "amqp://user:password@host:5672/virtual-host"

SCHEMES: Final = {"amqp": False, "pyamqp": False, "amqps": True}
"""Whether a scheme means TLS."""
PORTS: Final = {False: 5672, True: 5671}
NUMBERS: Final = {"heartbeat": 10, "window": 100}
"""Options, and their default."""
TLS: Final = {"ssl_ca_certs": "ca_certs", "ssl_certfile": "certfile", "ssl_keyfile": "keyfile"}
"""Options that are paths, and what py-amqp calls them."""
LARGEST: Final = 65_535


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
        parts, port = _split(url)
        options = _options(parts)
        is_tls = SCHEMES[parts.scheme]
        paths = {name: options[name] for name in TLS if name in options}
        if paths and not is_tls:
            raise InputError(
                f"{' and '.join(paths)} need a connection with TLS; write amqps:// instead of {parts.scheme}://"
            )
        numbers = {name: _number(name, options.get(name, str(default))) for name, default in NUMBERS.items()}
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=port or PORTS[is_tls],
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",  # the default one is called "/"
            tls={TLS[name]: path for name, path in paths.items()} if is_tls else None,
            **numbers,
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


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal() from None  # its text quotes the URL
    # A '#' or '/' in a password ends the part before the host: what follows has an '@'.
    if parts.scheme not in SCHEMES or parts.fragment or "@" in parts.path:
        raise _refusal()
    return parts, port


def _options(parts: SplitResult) -> Mapping[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = (*NUMBERS, *TLS)
    if unknown := sorted(options.keys() - set(known)):
        raise InputError(f"the URL of a RabbitMQ takes the options {', '.join(known)}, not {', '.join(unknown)}")
    return options


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST):
        raise InputError(f"expected a number from 1 to {LARGEST} for {name}, got {text!r}")
    return int(text)


def _refusal() -> InputError:
    return InputError(
        f"expected {EXAMPLE}, or amqps:// for TLS; write special characters of a password as %XX: '/' is %2F, '#' is %23, "
        "'?' is %3F, ';' is %3B, '@' is %40"
    )
