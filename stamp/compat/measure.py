"""What a value of a type measures, so that it can be compared with a bound, whatever unit or scale either side has.

Days for dates; microseconds for times, instants and durations; the number itself for numbers and decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import inf, isfinite
from typing import Any, Final, TypeAlias

from stamp.compat.datum import digits
from stamp.schema.types import Type

__all__ = ["MAX_EXPONENT", "Measure", "as_float", "bound", "datum", "granule", "measure", "of_text", "range_of"]

Measure: TypeAlias = "Fraction | float"
"""An exact number; infinity, or not a number, as a float."""

MAX_EXPONENT: Final = 1_100
"""Digits that a decimal in text may have before it is not looked at: 1e999999999 is a text of eleven characters."""

_UNITS: Final[Mapping[str, Fraction]] = {
    **dict.fromkeys(("time-millis", "timestamp-millis", "local-timestamp-millis"), Fraction(1000)),
    **dict.fromkeys(("timestamp-nanos", "local-timestamp-nanos"), Fraction(1, 1000)),
}
"""What one of the number below a logical type measures, where that is not 1."""

_DAY: Final = 86_400_000_000
_FIRST, _LAST = date.min.toordinal() - date(1970, 1, 1).toordinal(), date.max.toordinal() - date(1970, 1, 1).toordinal()
_CALENDAR: Final = (Fraction(_FIRST * _DAY), Fraction((_LAST + 1) * _DAY - 1))

_RANGES: Final[Mapping[str, tuple[Measure, Measure]]] = {
    "int": (Fraction(-(2**31)), Fraction(2**31 - 1)),
    "long": (Fraction(-(2**63)), Fraction(2**63 - 1)),
    "float": (-inf, inf),
    "double": (-inf, inf),
    "string": (-inf, inf),
    "date": (Fraction(_FIRST), Fraction(_LAST)),
    **dict.fromkeys(("time-millis", "time-micros"), (Fraction(0), Fraction(_DAY - 1))),
    **dict.fromkeys(("timestamp-millis", "timestamp-micros", "timestamp-nanos"), _CALENDAR),
    **dict.fromkeys(("local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos"), _CALENDAR),
}


def granule(type_: Type) -> Fraction | None:
    """Return the least difference between two values of a type; None where there is always one between."""
    if type_.logical == "decimal":
        return Fraction(1, 10**type_.scale)
    return _UNITS.get(type_.logical, Fraction(1)) if type_.kind in {"int", "long"} else None


def range_of(type_: Type) -> tuple[Measure, Measure]:
    """Return what the least and the greatest value of a type measure."""
    if type_.logical == "decimal":
        most = Fraction(10**type_.precision - 1, 10**type_.scale)
        return -most, most
    return _RANGES.get(type_.logical) or _RANGES[type_.kind]


def measure(type_: Type, value: Any) -> Measure | None:
    """Return what a datum measures; None for one that has no measure, such as a text that is no number."""
    if type_.logical == "decimal" and isinstance(value, bytes):
        return Fraction(int.from_bytes(value, "big", signed=True), 10**type_.scale)
    match value:
        case bool():
            return None
        case int():
            return value * _UNITS.get(type_.logical, Fraction(1))
        case float():
            return Fraction(value) if isfinite(value) else value
        case str():
            return of_text(value)
    return None


def of_text(text: str) -> Fraction | None:
    """Return the decimal that a text is; None when it is none, or one of more digits than anybody compares."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or (number and abs(number.adjusted()) > MAX_EXPONENT) or len(text) > 2 * MAX_EXPONENT:
        return None
    return Fraction(number)


def _days(text: str) -> Fraction:
    return Fraction(date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal())


def _instant(text: str) -> Fraction:
    found = datetime.fromisoformat(text)
    since = found.replace(tzinfo=found.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return Fraction(since // timedelta(microseconds=1))


def _of_day(text: str) -> Fraction:
    found = time.fromisoformat(text)
    return Fraction(((found.hour * 60 + found.minute) * 60 + found.second) * 1_000_000 + found.microsecond)


_READ: Final[tuple[tuple[str, Callable[[str], Fraction]], ...]] = (
    ("date", _days),
    ("timestamp", _instant),
    ("local-timestamp", _instant),
    ("time-", _of_day),
)
"""By what a logical type begins with: how a bound in text is read. `timedelta` is in no calendar."""


def bound(type_: Type, value: Any) -> Measure | None:
    """Return what a bound measures that a constraint sets for a type; None when it is one of something else."""
    if not isinstance(value, str):
        return None if type_.logical in _DATED else measure(Type("double"), value)
    read = next((read for start, read in _READ if type_.logical.startswith(start)), of_text)
    try:
        found = read(value)
    except ValueError:
        return None
    return found * 1_000_000 if found is not None and type_.logical == "timedelta-micros" else found


def as_float(wanted: Measure) -> float:
    """Return the nearest floating point number, infinity for what is larger than all of them."""
    try:
        return float(wanted)
    except OverflowError:
        return inf if wanted > 0 else -inf


_DATED: Final = frozenset({"date"}) | {name for name in _RANGES if "-" in name}


def datum(type_: Type, wanted: Measure) -> Any | None:
    """Return the value of a type that measures so much, or nearly where it is a floating point number; None when none does."""
    if type_.kind in {"float", "double"}:
        return as_float(wanted)
    if not isinstance(wanted, Fraction):
        return None
    if type_.kind == "string":
        return f"{Decimal(wanted.numerator) / Decimal(wanted.denominator):f}"
    low, high = range_of(type_)
    raw = wanted * 10**type_.scale if type_.logical == "decimal" else wanted / _UNITS.get(type_.logical, Fraction(1))
    if raw.denominator != 1 or not low <= wanted <= high:
        return None
    return digits(type_, raw.numerator) if type_.logical == "decimal" else raw.numerator
