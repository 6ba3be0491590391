"""A datum of any Avro type as plain Python values, the branch of each union said: its binary, and its JSON for people.

Null, booleans, numbers, text, bytes, symbols, lists and dicts stand for themselves; a logical type is the value below it. Unlike the
values of a decoder, such a datum says all that is on the wire, and cannot be taken for one of another branch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from math import isfinite
from struct import pack
from typing import Any, Final, NamedTuple
from uuid import UUID

from stamp.errors import EncodeError
from stamp.schema import values
from stamp.schema.defaults import fits
from stamp.schema.types import Type
from stamp.schema.varint import sized, zigzag

__all__ = ["Branch", "digits", "encode", "shown", "text"]


class Branch(NamedTuple):
    """A value of a union: the number of its branch, from 0, and the value there."""

    number: int
    value: Any


def digits(type_: Type, unscaled: int) -> bytes:
    """Return the bytes of a decimal (Avro 1.12, "Decimal"): two's complement, in as many bytes as it takes or a fixed has."""
    length = type_.size or (unscaled if unscaled >= 0 else ~unscaled).bit_length() // 8 + 1
    return unscaled.to_bytes(length, "big", signed=True)


# -- binary


def encode(type_: Type, datum: Any) -> bytes:
    """Return the Avro binary of a datum.

    Raises:
        EncodeError: it is none of this type, with the path to what is not.
    """
    if type_.kind == "union":
        if not isinstance(datum, Branch) or not 0 <= datum.number < len(type_.branches):
            raise _misfit(type_, datum)
        return zigzag(datum.number) + encode(type_.branches[datum.number], datum.value)
    if type_.kind in _BINARY:
        if not isinstance(datum, bytes) or (type_.kind == "fixed" and len(datum) != type_.size):
            raise _misfit(type_, datum)
        return datum if type_.kind == "fixed" else sized(datum)
    if not fits(type_, datum) or (type_.kind == "record" and datum.keys() != {each.name for each in type_.fields}):
        raise _misfit(type_, datum)
    return _ENCODE[type_.kind](type_, datum)


_BINARY: Final = frozenset({"bytes", "fixed"})


def _misfit(type_: Type, datum: Any) -> EncodeError:
    return EncodeError(f"expected a datum of {type_.label}, got {datum!r}")


def _inside(step: str, type_: Type, datum: Any) -> bytes:
    try:
        return encode(type_, datum)
    except EncodeError as error:
        raise error.within(step) from error


def _record(type_: Type, datum: Mapping[str, Any]) -> bytes:
    return b"".join([_inside(each.name, each.type, datum[each.name]) for each in type_.fields])


def _array(type_: Type, datum: list[Any]) -> bytes:
    assert type_.items is not None
    return _blocks([_inside(f"[{number}]", type_.items, item) for number, item in enumerate(datum)])


def _map(type_: Type, datum: Mapping[str, Any]) -> bytes:
    assert type_.items is not None
    return _blocks([_text(key) + _inside(f"[{key!r}]", type_.items, item) for key, item in datum.items()])


def _text(text: str) -> bytes:
    try:
        return sized(text.encode())
    except UnicodeEncodeError as error:
        raise EncodeError(f"expected Unicode text, got {text!a}") from error


def _blocks(items: list[bytes]) -> bytes:
    return b"".join((zigzag(len(items)), *items, b"\0")) if items else b"\0"


def _float(form: str, number: float) -> bytes:
    try:
        return pack(form, number)
    except OverflowError as error:
        raise EncodeError(f"expected a number that a float holds, got {number!r}") from error


_ENCODE: Final[Mapping[str, Callable[[Type, Any], bytes]]] = {
    "null": lambda type_, datum: b"",
    "boolean": lambda type_, datum: b"\1" if datum else b"\0",
    "int": lambda type_, datum: zigzag(datum),
    "long": lambda type_, datum: zigzag(datum),
    "float": lambda type_, datum: _float("<f", datum),
    "double": lambda type_, datum: _float("<d", datum),
    "string": lambda type_, datum: _text(datum),
    "enum": lambda type_, datum: zigzag(type_.numbers[datum]),
    "array": _array,
    "map": _map,
    "record": _record,
}


# -- JSON


def shown(type_: Type, datum: Any) -> Any:
    """Return a datum in JSON values for people: bytes in hex, decimals in digits, times in ISO 8601 where the calendar has them.

    A value of a union stands in an object that names its branch, as in Avro's own JSON, unless null is the only other branch.
    """
    if type_.kind == "union":
        branch = type_.branches[datum.number]
        value = shown(branch, datum.value)
        is_plain = branch.kind == "null" or len([each for each in type_.branches if each.kind != "null"]) == 1
        return value if is_plain else {branch.name or branch.kind: value}
    if type_.kind == "record":
        return {each.name: shown(each.type, datum[each.name]) for each in type_.fields}
    if type_.items is not None:
        if type_.kind == "array":
            return [shown(type_.items, item) for item in datum]
        return {key: shown(type_.items, item) for key, item in datum.items()}
    if type_.logical in _SHOWN:
        return _or_plain(_SHOWN[type_.logical], type_, datum)
    if isinstance(datum, float) and not isfinite(datum):
        return str(datum)
    return datum.hex() if isinstance(datum, bytes) else datum


def _or_plain(show: Callable[[Type, Any], Any], type_: Type, datum: Any) -> Any:
    try:
        return show(type_, datum)
    except (ValueError, OverflowError):  # beyond the calendar, or no such time of day
        return datum


def _seconds(micros: int) -> float:
    return timedelta(microseconds=micros).total_seconds()


def _decimal(type_: Type, datum: bytes) -> str:
    number = Decimal(int.from_bytes(datum, "big", signed=True)).scaleb(-type_.scale, values.EXACT)
    return f"{number:f}"


_SHOWN: Final[Mapping[str, Callable[[Type, Any], Any]]] = {
    "date": lambda type_, datum: values.days(datum).isoformat(),
    "time-millis": lambda type_, datum: values.time_of_day(datum * 1000).isoformat(),
    "time-micros": lambda type_, datum: values.time_of_day(datum).isoformat(),
    "timestamp-millis": lambda type_, datum: values.instant(datum * 1000).isoformat(),
    "timestamp-micros": lambda type_, datum: values.instant(datum).isoformat(),
    "local-timestamp-millis": lambda type_, datum: values.local(datum * 1000).isoformat(),
    "local-timestamp-micros": lambda type_, datum: values.local(datum).isoformat(),
    "timedelta-micros": lambda type_, datum: _seconds(datum),
    "decimal": _decimal,
    "uuid": lambda type_, datum: datum if isinstance(datum, str) else str(UUID(bytes=datum)),
}


def text(value: Any) -> str:
    """Return a value as a decoder gives it, no record, array or map, for a message."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bytes():
            return f"the bytes {value.hex()}" if value else "no bytes"
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case timedelta():
            return f"{value.total_seconds()} s"
        case None | bool():
            return str(value).lower()
        case _:
            return str(value)
