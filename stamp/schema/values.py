"""What the code of a decoder calls: the rare tail of a varint, blocks, and the Python values of logical types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from enum import Enum
from struct import Struct
from typing import Any, Final
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a local timestamp has no time zone
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
MICROS_A_DAY: Final = 86_400_000_000
EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

MICROSECOND: Final = timedelta(microseconds=1)
"""Multiplying it is the fastest way from a number of microseconds to a duration."""

UUID_TEXT: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""RFC 4122; `uuid.UUID` takes much more."""

IMMUTABLE: Final = (type(None), bool, int, float, str, bytes, Decimal, date, time, timedelta, UUID, Enum)


class MalformedError(ValueError):
    """These bytes are no datum of the writer schema."""


class UnreadableError(ValueError):
    """The datum is well-formed, and the reader schema has no value for it."""


class TooDeepError(ValueError):
    """Records nest deeper than allowed."""


class TooManyError(ValueError):
    """There are more values than allowed."""


_eight_bytes: Final = Struct("<Q").unpack_from


def long_tail(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return the zigzag number that began with the byte `first` just before `at`, and where it ends."""
    byte = data[at]
    if 0 < byte < 128:
        return first & 127 | byte << 7, at + 1
    if at + 7 <= len(data):
        (eight,) = _eight_bytes(data, at - 1)
        # Eight bytes, as every timestamp of our time has, are drawn together at once.
        if eight & 0x8080808080808080 == 0x80808080808080 and eight >> 56:
            eight = eight & 0x7F007F007F007F | (eight & 0x7F007F007F007F00) >> 1
            eight = eight & 0x3FFF00003FFF | (eight & 0x3FFF00003FFF0000) >> 2
            return eight & 0xFFFFFFF | (eight & 0xFFFFFFF00000000) >> 4, at + 7
    return _long_tail(data, at, first)


def _long_tail(data: bytes, at: int, first: int) -> tuple[int, int]:
    number, shift = first & 127, 7
    while (byte := data[at]) > 127:
        number |= (byte & 127) << shift
        shift += 7
        at += 1
        if shift > 63:
            raise MalformedError("expected a number of at most 10 bytes, got a longer one")
    number |= byte << shift
    if not byte or number >> 64:
        raise MalformedError("expected a number in its shortest form and within 64 bits")
    return number, at + 1


def int_tail(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return what `long_tail` does, for a number of 32 bits."""
    number, end = long_tail(data, at, first)
    if number >> 32:
        raise MalformedError(f"expected an int of 32 bits, got {(number >> 1) ^ -(number & 1)}")
    return number, end


def block(data: bytes, at: int, end: int, most: int | None = None) -> tuple[int, int, int]:
    """Return the number of items in an array or map block, where it says it ends (-1: it does not say), and where it starts.

    There are no more of them than bytes left; `most` bounds those that take none.
    """
    number = data[at]
    at += 1
    if not number:
        return 0, -1, at
    if number > 127:
        number, at = long_tail(data, at, number)
    if not number & 1:
        return _counted(number >> 1, end - at if most is None else most), -1, at
    size = data[at]
    at += 1
    if size > 127:
        size, at = long_tail(data, at, size)
    if size & 1 or at + (size >> 1) > end:
        raise too_long(size, end - at)
    return _counted((number >> 1) + 1, end - at if most is None else most), at + (size >> 1), at


def _counted(count: int, most: int) -> int:
    if count > most:
        raise MalformedError(f"expected at most {most} items in what is left, got a count of {count}")
    return count


def too_long(length: int, left: int) -> MalformedError:
    """Return the error for a zigzag `length` that is negative or passes the `left` bytes."""
    return MalformedError(f"expected a length of 0 to {left} bytes, got {(length >> 1) ^ -(length & 1)}")


def days(number: int) -> date:
    """Return a `date`, from the days since 1970."""
    return date.fromordinal(EPOCH_DAY + number)


def time_of_day(micros: int) -> time:
    """Return a time, from the microseconds since midnight."""
    if not 0 <= micros < MICROS_A_DAY:
        raise MalformedError(f"expected a time of day in microseconds, got {micros}")
    seconds, micros = divmod(micros, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micros)


def instant(micros: int) -> datetime:
    """Return an instant in UTC, from the microseconds since 1970 UTC."""
    return EPOCH + MICROSECOND * micros


def local(micros: int) -> datetime:
    """Return a datetime without time zone, from the microseconds since 1970."""
    return LOCAL_EPOCH + MICROSECOND * micros


def duration(micros: int) -> timedelta:
    """Return a duration, from its microseconds."""
    return MICROSECOND * micros


def decimal(data: bytes, precision: int, scale: int) -> Decimal:
    """Return a decimal, from its unscaled value in two's complement (Avro 1.12, "Decimal")."""
    if len(data) > precision // 2 + 2:  # a digit needs 0.42 bytes: bounds the work before it is done
        raise MalformedError(f"expected a decimal of at most {precision} digits, got {len(data)} bytes")
    number = int.from_bytes(data, "big", signed=True)
    if abs(number) >= 10**precision:
        raise MalformedError(f"expected a decimal of at most {precision} digits, got {number}")
    return Decimal(number).scaleb(-scale, EXACT)


def fixed_decimal(data: bytes, precision: int, scale: int) -> Decimal:
    """Return a decimal from the bytes of a fixed, of which there may be more than its digits need."""
    needed = precision // 2 + 2
    more, least = data[:-needed], data[-needed:]
    if more.strip(b"\0" if least[0] < 128 else b"\xff"):  # the sign, again and again
        raise MalformedError(f"expected a decimal of at most {precision} digits, got {len(data)} bytes that hold more")
    return decimal(least, precision, scale)


def uuid_text(data: bytes) -> UUID:
    """Return a UUID, from its 36 characters (RFC 4122)."""
    text = data.decode()
    if UUID_TEXT.fullmatch(text) is None:
        raise MalformedError(f"expected a UUID in 36 characters, got {text[:40]!r}")
    return UUID(text)


def uuid_bytes(data: bytes) -> UUID:
    """Return a UUID, from its 16 bytes."""
    return UUID(bytes=data)


LOGICAL: Final[Mapping[str, str]] = {
    "date": "days",
    "time-millis": "time_of_day",
    "time-micros": "time_of_day",
    "timestamp-millis": "instant",
    "timestamp-micros": "instant",
    "local-timestamp-millis": "local",
    "local-timestamp-micros": "local",
    "timedelta-micros": "duration",
}
"""The function here that gives the Python value of a logical type on a number of microseconds (days for `date`)."""

NAMESPACE: Final[Mapping[str, Any]] = {
    "unpack_float": Struct("<f").unpack_from,
    "unpack_double": Struct("<d").unpack_from,
} | {
    each.__name__: each
    for each in (
        *(
            MalformedError,
            UnreadableError,
            TooDeepError,
            long_tail,
            int_tail,
            block,
            too_long,
            decimal,
            fixed_decimal,
            uuid_text,
            uuid_bytes,
        ),
        *(days, time_of_day, instant, local, duration),
    )
}
"""The global names of a decoder's code."""
