"""The values of a type without parts that are worth trying: the least, the ends of its range, and what is between encodings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any, Final
from uuid import UUID

from stamp.compat.datum import digits, encode
from stamp.errors import DecodeError, EncodeError
from stamp.schema.decoder import decoder_of
from stamp.schema.decoding import Decoder
from stamp.schema.types import Type

__all__ = ["values"]


def values(writer: Type, readers: Sequence[Type] = (), others: Sequence[Any] = ()) -> Sequence[Any]:
    """Return values of `writer` that all of `readers` have a value for: of `others`, and then the simplest first.

    Readers that see more in plain data than the writer's schema says (text in bytes, UUIDs in text, times in numbers) refuse what it
    is not: the checks warn of that, and here it is left out.
    """
    seeing = [each for each in readers if _sees_more(writer, each)]
    seen = [replace(writer, logical=each.logical, precision=each.precision, scale=each.scale) for each in seeing]
    found = [*others, *(value for each in (*seen, writer) for value in _own(each))]
    decoders = [decoder_of(writer, each) for each in seeing]
    return [value for value in found if all(_is_taken(writer, each, value) for each in decoders)]


def _sees_more(writer: Type, reader: Type) -> bool:
    is_text = (writer.kind, reader.kind) == ("bytes", "string")
    return is_text or (reader.logical != "" and not writer.logical and writer.kind != "enum")


def _is_taken(writer: Type, decode: Decoder, value: Any) -> bool:
    try:
        decode(encode(writer, value))
    except (DecodeError, EncodeError):
        return False
    return True


def _own(type_: Type) -> Sequence[Any]:
    return _VALUES[type_.logical if type_.logical in _VALUES else type_.kind](type_)


def _decimals(type_: Type) -> list[bytes]:
    most = 10**type_.precision - 1
    return [digits(type_, number) for number in (0, most, -most, 1)]


_DAY: Final = 86_400_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_FIRST, _LAST = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1  # the calendar of Python, in milliseconds
_INTS: Final = (0, -1, 63, 64, -64, -65, 2**31 - 1, -(2**31))
_MILLIS: Final = (0, -1, 1_700_000_000_123, _FIRST, _LAST)
_MICROS: Final = (0, -1, 1_700_000_000_123_456, _FIRST * 1000, _LAST * 1000 + 999)
_TEXT: Final = ("", "text", "naïve ∀ 😀", "x" * 200)

_UUIDS: Final = (UUID(int=0), UUID("0188d3f1-7c2b-7b3e-9c5a-0123456789ab"))


def _uuids(type_: Type) -> Sequence[Any]:
    if type_.kind == "fixed":
        return [each.bytes for each in _UUIDS]
    return [str(each).encode() if type_.kind == "bytes" else str(each) for each in _UUIDS]


_VALUES: Final[Mapping[str, Callable[[Type], Sequence[Any]]]] = {
    "null": lambda type_: (None,),
    "boolean": lambda type_: (False, True),
    "int": lambda type_: _INTS,
    "long": lambda type_: (*_INTS, 2**53 + 1, 2**63 - 1, -(2**63)),
    "float": lambda type_: (0.0, -0.5, 3.4028234663852886e38, inf, nan),
    "double": lambda type_: (0.0, -0.5, 1.7976931348623157e308, -inf, nan),
    "bytes": lambda type_: (b"", b"\0", b"\xff\xfe", *(text.encode() for text in _TEXT[1:])),
    "string": lambda type_: _TEXT,
    "fixed": lambda type_: (bytes(type_.size), b"\xff" * type_.size),
    "enum": lambda type_: type_.symbols,
    "date": lambda type_: (0, -1, 20_000, _FIRST_DAY, _LAST_DAY),
    "time-millis": lambda type_: (0, 1, _DAY - 1),
    "time-micros": lambda type_: (0, 1, _DAY * 1000 - 1),
    "timestamp-millis": lambda type_: _MILLIS,
    "timestamp-micros": lambda type_: _MICROS,
    "local-timestamp-millis": lambda type_: _MILLIS,
    "local-timestamp-micros": lambda type_: _MICROS,
    "decimal": _decimals,
    "big-decimal": lambda type_: (b"\2\0\0", b"\2\1\4"),
    "uuid": _uuids,
}
