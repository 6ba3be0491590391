"""What stands beside the body of a message in AMQP 0-9-1: properties, and among them a table of headers.

py-amqp builds every value of a table, and gives up on a time behind the year 9999, on a type that it does not know, or on some hundred tables inside
each other. Its error ends the connection, the message comes again with all that were under way with it, and at last the broker gives all of
them up. Here only text is read, and of what RabbitMQ notes in a table that for which somebody asks. Everything else is passed over by its length: what
a sender nests is not entered, and one pass over the bytes is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from stamp.errors import WireError
from stamp.runtime.outside import LONGEST, told

__all__ = ["HEADERS", "Death", "Properties", "death", "number", "read"]

HEADERS: Final = "application_headers"

FLAGS: Final = 2
LENGTH: Final = 4
"""Bytes of the flags, and of the length of a table or a value."""

SIZES: Final[Mapping[int, int]] = {
    kind: size
    for size, kinds in {0: b"V", 1: b"bBt", 2: b"sUu", 4: b"Iif", 5: b"D", 8: b"LldT"}.items()
    for kind in kinds
}
"""Bytes of a value in a table, by the letter of its type, as RabbitMQ and its clients write them (errata to section 4.2.1)."""
COUNTED: Final = b"SxAF"
"""Types of values that begin with their length."""
TEXT, ARRAY, TABLE, TIME = b"SAFT"
INTEGERS: Final = b"bBsUuIiLl"
UNSIGNED: Final = b"Bui"

SHORT: Final = 0
IN_ORDER: Final = (
    ("content_type", SHORT),
    ("content_encoding", SHORT),
    (HEADERS, TABLE),
    ("delivery_mode", 1),
    ("priority", 1),
    ("correlation_id", SHORT),
    ("reply_to", SHORT),
    ("expiration", SHORT),
    ("message_id", SHORT),
    ("timestamp", 8),
    ("type", SHORT),
    ("user_id", SHORT),
    ("app_id", SHORT),
    ("cluster_id", SHORT),
)
"""Short strings, the table, and numbers of so many bytes."""
PROPERTIES: Final = tuple((0x8000 >> number, name, kind) for number, (name, kind) in enumerate(IN_ORDER))
"""With the flag that says whether it is there."""

DEATHS: Final = b"x-death"
LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""


class Properties(NamedTuple):
    """`known` has properties by the names that py-amqp gives them, without headers that are no text; `table` has all headers as they came.

    If they cannot be read there are none, and `unreadable` says why.
    """

    known: Mapping[str, Any] = MappingProxyType({})
    table: bytes = b""
    unreadable: str | None = None


class Death(NamedTuple):
    """What RabbitMQ says of the latest death of a message; `at` is in seconds since 1970 UTC."""

    reason: str | None = None
    at: int | None = None


def read(data: bytes) -> Properties:
    """Read the properties in the header frame of a message."""
    try:
        return _read(data)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not end the connection
        return Properties(unreadable=told(error))


def number(table: bytes, name: bytes) -> int | None:
    """Return an integer in a table that was read; None if there is none of that name."""
    for key, kind, value in _entries(table):
        if key == name and kind in INTEGERS:
            return int.from_bytes(value, signed=kind not in UNSIGNED)
    return None


def death(table: bytes) -> Death:
    """Return what a table that was read says of the latest death; anybody may have written anything there."""
    try:
        return _death(table)
    except WireError:
        return Death()


def _death(table: bytes) -> Death:
    deaths = next((value for name, kind, value in _entries(table) if name == DEATHS and kind == ARRAY), b"")
    # An array is a table without names; the latest death comes first.
    latest = next((value for _, kind, value in _entries(b"\0" + deaths) if kind == TABLE), b"") if deaths else b""
    facts = {(name, kind): value for name, kind, value in _entries(latest)}
    reason, time = facts.get((b"reason", TEXT)), facts.get((b"time", TIME))
    at = LAST_SECOND + 1 if time is None else int.from_bytes(time)
    return Death(
        None if reason is None else reason[:LONGEST].decode(errors="replace"), at if at <= LAST_SECOND else None
    )


def _read(data: bytes) -> Properties:
    flags, at = int.from_bytes(data[:FLAGS]), FLAGS
    known: dict[str, Any] = {}
    table = b""
    for flag, name, kind in PROPERTIES:
        if not flags & flag:
            continue
        if kind == SHORT:
            size, at = data[at], at + 1
        elif kind == TABLE:
            size, at = int.from_bytes(data[at : at + LENGTH]), at + LENGTH
        else:
            size = kind
        value = data[at : at + size]
        at += size
        if kind == SHORT:
            if (text := _text(value)) is not None:
                known[name] = text
        elif kind == TABLE:
            table, known[name] = value, _texts(value)
        else:
            known[name] = int.from_bytes(value)
    if at > len(data):
        raise WireError(f"expected {at} bytes of properties, got {len(data)}")
    return Properties(known, table)


def _texts(table: bytes) -> dict[str, str]:
    texts = {}
    for name, kind, value in _entries(table):
        if kind == TEXT and (key := _text(name)) is not None and (text := _text(value)) is not None:
            texts[key] = text
    return texts


def _entries(table: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield the name, the type and the value of each header, written out: it is done for each header of each message."""
    at, end = 0, len(table)
    while at < end:
        begin = at + 1
        at = begin + table[at]
        if at >= end:
            raise _too_short(at + 1, end)
        name, kind = table[begin:at], table[at]
        begin = at + 1
        size = SIZES.get(kind)
        if size is None:
            if kind not in COUNTED:
                raise WireError(f"expected a type of AMQP 0-9-1, got {chr(kind)!r}")
            size = int.from_bytes(table[begin : begin + LENGTH])
            begin += LENGTH
        at = begin + size
        if at > end:
            raise _too_short(at, end)
        yield name, kind, table[begin:at]


def _too_short(expected: int, got: int) -> WireError:
    return WireError(f"expected {expected} bytes of headers, got {got}")


def _text(value: bytes) -> str | None:
    """Return a value as text, the way our sender and py-amqp write it; None if it is none."""
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
