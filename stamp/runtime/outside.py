"""What stands on the outside of an envelope, and what is refused by that alone.

Anybody may write anything there, and nothing but text is of use. So text is all that is taken, as much of it as a broker could carry, and what
cannot be read is no more than a reason to refuse its message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import WireError

__all__ = [
    "CONTENT_ENCODING",
    "LARGEST",
    "LEFT_OUT",
    "LONGEST",
    "LONGEST_JSON",
    "must_be_object",
    "named",
    "parsed",
    "parsed_headers",
    "refusal",
    "size",
    "texts",
    "told",
]

CONTENT_ENCODING: Final = "binary"

LARGEST: Final = 128 * 2**10
"""Bytes of all headers with their names, in UTF-8: what a frame of RabbitMQ has room for. Ours are some hundred."""
LONGEST: Final = 255
"""Characters of a content type, an encoding or an event: as many as AMQP 0-9-1 has for a name."""
LONGEST_JSON: Final = 2**20
"""Bytes of headers in JSON: all of `LARGEST` may be escaped, and lists, which are dropped, take twenty times the memory of their text."""
LONGEST_REASON: Final = 500
"""Characters of what a client library says."""
SHOWN: Final = 60
"""Characters of what somebody has written, in a message of ours."""

KINDS: Final = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
}

LEFT_OUT: Final = "stamp-left-out"
"""The header that says how much was left out because it is too large."""


def refusal(
    content_type: str | None, content_encoding: str | None, headers: Mapping[str, Any], unreadable: str | None = None
) -> WireError | None:
    """Return why a message is not taken for an envelope, from its outside alone; None if it may be one."""
    if unreadable is not None:
        return WireError(f"expected headers and properties that can be read: {unreadable}")
    if content_type != CONTENT_TYPE:
        return WireError(f"expected a message of type {CONTENT_TYPE}, got {_shown(content_type)}")
    if content_encoding != CONTENT_ENCODING:
        return WireError(f"expected content encoding {CONTENT_ENCODING}, got {_shown(content_encoding)}")
    if compression := headers.get("compression"):
        return WireError(f"envelopes are not compressed by the transport, this one is by {_shown(compression)}")
    return None


def texts(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Return those of `headers` that are text, in their order, as long as they have `LARGEST` bytes together; a note says how much is left out."""
    kept: dict[str, str] = {}
    total = left_out = 0
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            continue
        own = size(name, value)
        if total + own <= LARGEST:
            total += own
            kept[_sound(name)] = _sound(value)
        else:
            left_out += own
    return {**kept, LEFT_OUT: f"{left_out} bytes: no room for them"} if left_out else kept


def named(value: object) -> str | None:
    """Return a content type, or another short name, that somebody has written; None if it is no text."""
    return _sound(value[:LONGEST]) if isinstance(value, str) else None


def parsed(text: str | bytes) -> Any:
    """Return what is written in JSON.

    Raises:
        WireError: it is too long. Exception: or something that `json` raises.
    """
    if len(text) > LONGEST_JSON:
        raise WireError(f"expected at most {LONGEST_JSON} bytes of headers in JSON, got {len(text)}")
    return json.loads(text)


def parsed_headers(text: str | bytes) -> dict[str, Any]:
    """Return headers that are written in JSON.

    Raises:
        WireError: they are something else than an object. Exception: as for `parsed`.
    """
    headers: dict[str, Any] = parsed(text)
    must_be_object(headers)
    return headers


def must_be_object(headers: object) -> None:
    """Refuse what is no object of headers.

    Raises:
        WireError: it is none.
    """
    if not isinstance(headers, dict):
        raise WireError(f"expected an object of headers in JSON, got {KINDS.get(type(headers), 'something else')}")


def size(name: str, value: str) -> int:
    """Return how many bytes a header has, in UTF-8."""
    if name.isascii() and value.isascii():
        return len(name) + len(value)
    return len(name.encode(errors="surrogatepass")) + len(value.encode(errors="surrogatepass"))


def told(error: BaseException) -> str:
    """Return what a client library, or we, say of a message that cannot be read."""
    said = str(error)[:LONGEST_REASON]
    return said if isinstance(error, WireError) else f"{type(error).__name__}: {said}"


def _sound(text: str) -> str:
    """Return a text that can be stored: a broker's client may make half surrogates of bytes that are no UTF-8."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _shown(value: object) -> str:
    """Return what somebody has written, cut, and without what a terminal would act on."""
    if not isinstance(value, str):
        return "None" if value is None else type(value).__name__
    return repr(value[:SHOWN])[1:-1] + ("..." if len(value) > SHOWN else "")
