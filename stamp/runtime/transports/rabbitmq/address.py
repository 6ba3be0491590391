"""Addresses of brokers, as they may be written into messages and logs."""

from __future__ import annotations

from urllib.parse import urlsplit

from stamp.errors import InputError

__all__ = ["public"]

SCHEMES = ("amqp", "amqps", "pyamqp")


def public(url: str) -> str:
    """Return `url`, or several with `;` between them, without passwords and without options, which may hold some, too.

    Raises:
        InputError: that is no address of a RabbitMQ. Its text says nothing of what stands there: it may be a part of a password.
    """
    return ";".join(_public(each) for each in url.split(";"))


def _public(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _refusal() from None  # its text quotes the address
    if parts.scheme not in SCHEMES or parts.fragment:
        raise _refusal()
    user = f"{parts.username}@" if parts.username else ""
    host = parts.hostname or "127.0.0.1"
    return f"{parts.scheme}://{user}{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def _refusal() -> InputError:
    return InputError(
        "expected amqp://user:password@host:port/virtual-host, or amqps:// for TLS; write special characters of a password "
        "as %XX: '/' is %2F, '#' is %23, ';' is %3B"
    )
