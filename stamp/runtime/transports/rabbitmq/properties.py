"""What stands beside the body of a message in AMQP 0-9-1: properties, and among them a table of headers.

py-amqp builds every value of a table, and gives up on a time behind the year 9999, on a type that it does not know, or on some hundred tables inside
each other. Its error ends the connection, the message comes again with all that were under way with it, and at last the broker gives all of
them up. Here only text is read, and of what RabbitMQ notes in a table that for which somebody asks. Everything else is passed over by its length: what
a sender nests is not entered, and one pass over the bytes is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

from stamp.errors import WireError
from stamp.runtime.outside import told

__all__ = ["HEADERS", "Death", "Properties", "death", "number", "read"]

HEADERS: Final = "application_headers"

FLAGS: Final = Struct(">H")
LENGTH: Final = Struct(">I")

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
PROPERTIES: Final = (
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
"""In their order, the first one with the highest bit of the flags: short strings, the table, and numbers of so many bytes."""

DEATHS: Final = b"x-death"
LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""


class Properties(NamedTuple):
    """`known` has properties by the names that py-amqp gives them, without headers that are no text; `table` has all headers as they came.

    If they cannot be read there are none, and `unreadable` says why.
    """

    known: Mapping[str, Any] = {}
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
    kind, latest, _ = _value(deaths, 0)
    facts = {(name, kind): value for name, kind, value in _entries(latest)} if kind == TABLE else {}
    reason, time = facts.get((b"reason", TEXT)), facts.get((b"time", TIME))
    at = None if time is None else int.from_bytes(time)
    return Death(
        None if reason is None else reason.decode(errors="replace"),
        at if at is not None and at <= LAST_SECOND else None,
    )


def _read(data: bytes) -> Properties:
    (flags,), at = _unpacked(FLAGS, data, 0), FLAGS.size
    known: dict[str, Any] = {}
    table = b""
    for bit, (name, kind) in enumerate(PROPERTIES):
        if not flags & 0x8000 >> bit:
            continue
        if kind == TABLE:
            (size,) = _unpacked(LENGTH, data, at)
            table, at = _cut(data, at + LENGTH.size, size)
            known[name] = _texts(table)
        elif kind == SHORT:
            (size,), at = _cut(data, at, 1)
            value, at = _cut(data, at, size)
            if (text := _text(value)) is not None:
                known[name] = text
        else:
            value, at = _cut(data, at, kind)
            known[name] = int.from_bytes(value)
    return Properties(known, table)


def _texts(table: bytes) -> dict[str, str]:
    texts = {}
    for name, kind, value in _entries(table):
        if kind == TEXT and (key := _text(name)) is not None and (text := _text(value)) is not None:
            texts[key] = text
    return texts


def _entries(table: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield the name, the type and the value of each header."""
    at = 0
    while at < len(table):
        name, at = _cut(table, at + 1, table[at])
        kind, value, at = _value(table, at)
        yield name, kind, value


def _value(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return the type of a value, the value, and where it ends."""
    (kind,), at = _cut(data, at, 1)
    size = SIZES.get(kind)
    if size is None:
        if kind not in COUNTED:
            raise WireError(f"expected a type of AMQP 0-9-1, got {chr(kind)!r}")
        (size,), at = _unpacked(LENGTH, data, at), at + LENGTH.size
    value, at = _cut(data, at, size)
    return kind, value, at


def _cut(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """Return `size` bytes and where they end."""
    end = at + size
    if end > len(data):
        raise WireError(f"expected {size} bytes at offset {at}, got {max(0, len(data) - at)}")
    return data[at:end], end


def _unpacked(form: Struct, data: bytes, at: int) -> tuple[int, ...]:
    return form.unpack(_cut(data, at, form.size)[0])


def _text(value: bytes) -> str | None:
    """Return a value as text, the way our sender and py-amqp write it; None if it is none."""
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
