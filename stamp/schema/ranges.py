"""Which numbers and texts are a value of their type: what a float can hold, which days a calendar has, what a UUID looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from stamp.schema.types import Type
from stamp.schema.values import UUID_TEXT

__all__ = ["has_meaning", "is_held"]

_FLOAT_MAX: Final = (2 - 2**-23) * 2.0**127
_DOUBLE_MAX: Final = (2 - 2**-52) * 2.0**1023
_DAY: Final = 86_400_000_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_FIRST_MICRO, _LAST_MICRO = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1
_MILLIS, _MICROS = (_FIRST_MICRO // 1000, _LAST_MICRO // 1000), (_FIRST_MICRO, _LAST_MICRO)

_LARGEST: Final[Mapping[str, float]] = {"float": _FLOAT_MAX, "double": _DOUBLE_MAX}

_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "date": (_FIRST_DAY, _LAST_DAY),
    "time-millis": (0, _DAY // 1000 - 1),
    "time-micros": (0, _DAY - 1),
    "timestamp-millis": _MILLIS,
    "timestamp-micros": _MICROS,
    "local-timestamp-millis": _MILLIS,
    "local-timestamp-micros": _MICROS,
}
"""Times of a day, and days and instants of the years 1 to 9999."""


def is_held(type_: Type, value: Any) -> bool:
    """Tell whether a number that may be one of a float or double is not too large for it; of all other types it is none."""
    largest = _LARGEST.get(type_.kind)
    return largest is None or -largest <= value <= largest


def has_meaning(type_: Type, value: Any) -> bool:
    """Tell whether a JSON value that fits a type without looking at its logical type has a meaning there: the 30th of February has none."""
    if type_.logical in _MEANINGFUL:
        return _MEANINGFUL[type_.logical](type_, value)
    if type_.logical not in _RANGES:
        return True
    low, high = _RANGES[type_.logical]
    return bool(low <= value <= high)


def _is_decimal(type_: Type, value: str) -> bool:
    number = int.from_bytes(value.encode("latin-1"), "big", signed=True)
    return value != "" and abs(number) < 10**type_.precision


_MEANINGFUL: Final[Mapping[str, Callable[[Type, Any], bool]]] = {
    "uuid": lambda type_, value: type_.kind == "fixed" or UUID_TEXT.fullmatch(value) is not None,
    "decimal": _is_decimal,
}
