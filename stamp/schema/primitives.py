"""Single Python values to Avro binary.

Law: a writer appends the one encoding of a value of its type, or raises `EncodeError`. It never guesses: a boolean is no number, a
naive datetime is no instant, a digit that does not fit is not rounded away.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from struct import Struct
from typing import Any, Final
from uuid import UUID

from stamp.errors import EncodeError
from stamp.schema.form import Write
from stamp.schema.varint import sized, zigzag

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a local timestamp has no time zone
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
FIRST_DAY: Final = date.min.toordinal() - EPOCH_DAY
LAST_DAY: Final = date.max.toordinal() - EPOCH_DAY

_double: Final = Struct("<d").pack


def misfit(expected: str, value: Any) -> EncodeError:
    """Return the error for a value that is not what was expected."""
    shown = "None" if value is None else f"{type(value).__name__} {value!r:.60}"
    return EncodeError(f"expected {expected}, got {shown}")


def write_null(value: Any, _out: bytearray) -> None:
    """Append nothing for None."""
    if value is not None:
        raise misfit("None", value)


def write_boolean(value: Any, out: bytearray) -> None:
    """Append a bool; no other value has a truth."""
    if type(value) is not bool:
        raise misfit("a bool", value)
    out.append(value)


def write_long(value: Any, out: bytearray) -> None:
    """Append an int of 64 bits."""
    if type(value) is not int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise misfit("an int", value)
        value = int(value)
    out += zigzag(value)


def write_double(value: Any, out: bytearray) -> None:
    """Append a float, or an int that a float holds exactly."""
    if type(value) is not float:
        value = _exact_float(value)
    out += _double(value)


def _exact_float(value: Any) -> float:
    """Return an int as the float that equals it: pydantic does not convert a default like `ratio: float = 1`."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise misfit("a float", value)
    try:
        exact = float(value)
    except OverflowError:
        raise misfit("a float", value) from None
    if exact != value and value == value:  # noqa: PLR0124 - not a number is not equal to itself
        raise misfit("a float, or an int that a float holds exactly", value)
    return exact


def write_string(value: Any, out: bytearray) -> None:
    """Append a str, or an instance of a subclass as the text that it is."""
    if type(value) is not str and not isinstance(value, str):
        raise misfit("a str", value)
    try:
        data = str.encode(value)
    except UnicodeEncodeError:
        raise misfit("text that UTF-8 can hold (no lone surrogates)", value) from None
    out += sized(data)


def write_bytes(value: Any, out: bytearray) -> None:
    """Append bytes."""
    if not isinstance(value, bytes):
        raise misfit("bytes", value)
    out += sized(value)


def write_timestamp(value: Any, out: bytearray) -> None:
    """Append an aware datetime as microseconds since the epoch (timestamp-micros)."""
    if not isinstance(value, datetime):
        raise misfit("a datetime", value)
    try:
        since = value - EPOCH
    except TypeError:
        raise misfit("a datetime with a time zone (or annotate the field NaiveDatetime)", value) from None
    if value.tzinfo is not UTC and not FIRST_DAY <= since.days <= LAST_DAY:
        raise misfit("a datetime in the years 1 to 9999 UTC", value)
    out += zigzag((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def write_local_timestamp(value: Any, out: bytearray) -> None:
    """Append a naive datetime as microseconds since its own 1970 (local-timestamp-micros)."""
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise misfit("a datetime without time zone", value)
    write_timedelta(value - LOCAL_EPOCH, out)


def write_date(value: Any, out: bytearray) -> None:
    """Append a date as days since the epoch (date); a datetime is none."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise misfit("a date", value)
    out += zigzag(value.toordinal() - EPOCH_DAY)


def write_time(value: Any, out: bytearray) -> None:
    """Append a naive time as microseconds since midnight (time-micros)."""
    if not isinstance(value, time) or value.tzinfo is not None:
        raise misfit("a time without time zone", value)
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    out += zigzag(seconds * 1_000_000 + value.microsecond)


def write_timedelta(value: Any, out: bytearray) -> None:
    """Append a timedelta as microseconds (timedelta-micros, a logical type of ours)."""
    if not isinstance(value, timedelta):
        raise misfit("a timedelta", value)
    out += zigzag((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds)


def write_uuid(value: Any, out: bytearray) -> None:
    """Append a UUID as its 36 characters (uuid)."""
    if not isinstance(value, UUID):
        raise misfit("a UUID", value)
    out += sized(str(value).encode())


def write_decimal_text(value: Any, out: bytearray) -> None:
    """Append a Decimal, or an int, as its exact text."""
    if not isinstance(value, Decimal):
        value = _whole_decimal(value)
    write_string(str(value), out)


def _whole_decimal(value: Any) -> Decimal:
    """Return an int as a Decimal: pydantic does not convert a default like `price: Decimal = 0`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise misfit("a Decimal", value)
    return Decimal(value)


def decimal(precision: int, scale: int) -> Write:
    """Return the writer of decimals with at most `precision` digits, `scale` of them after the point (Avro 1.12, "Decimal")."""
    expected = f"a Decimal of at most {precision} digits, {scale} of them after the point"

    def write(value: Any, out: bytearray) -> None:
        if not isinstance(value, Decimal):
            value = _whole_decimal(value)
        number = _unscaled(value, precision, scale)
        if number is None:
            raise misfit(expected, value)
        size = (number + (number < 0)).bit_length() // 8 + 1
        out += sized(number.to_bytes(size, "big", signed=True))

    return write


def _unscaled(value: Decimal, precision: int, scale: int) -> int | None:
    """Return `value` x 10^`scale` if that is a whole number of at most `precision` digits.

    Worked out in integers: decimal arithmetic rounds to the precision of the caller's context.
    """
    if not value.is_finite():
        return None
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not any(digits):
        return 0
    if value.adjusted() + scale >= precision:
        return None
    shift = exponent + scale
    if -shift >= len(digits):
        return None
    whole, rest = int("".join(map(str, digits))), 0
    if shift >= 0:
        whole *= 10**shift
    else:
        whole, rest = divmod(whole, 10**-shift)
    return None if rest else -whole if sign else whole


def text(types: tuple[type, ...], parse: Callable[[str], Any]) -> Write:
    """Return the writer of values that `str` turns into text and `parse` back: addresses, paths, URLs.

    Text itself is parsed first: pydantic does not convert a default like `page: HttpUrl = "https://example.com"`.
    """
    expected = " or ".join(each.__name__ for each in types)

    def write(value: Any, out: bytearray) -> None:
        if isinstance(value, str):
            try:
                value = parse(value)
            except ValueError:
                raise misfit(expected, value) from None
        if not isinstance(value, types):
            raise misfit(expected, value)
        write_string(str(value), out)

    return write
