"""The JSON form of a default (Avro 1.12, "Complex Types", table of default values) as Avro binary.

A decoder fills a missing field by decoding these bytes: defaults of every type, logical ones included, take the one path on which
everything else is read, and each reader gets a list or dict of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import pack
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.types import MISSING, Type
from stamp.schema.varint import sized, zigzag

__all__ = ["encode_default", "fits"]


def encode_default(type_: Type, value: Any) -> bytes:
    """Return the binary of a default, given in the JSON form of the schema.

    Raises:
        SchemaError: the default does not fit its type.
    """
    if type_.kind == "union":
        number = next((n for n, branch in enumerate(type_.branches) if fits(branch, value)), None)
        if number is None:
            raise SchemaError(f"expected a default that fits a branch of {type_.label}, got {value!r}")
        return zigzag(number) + encode_default(type_.branches[number], value)
    if not fits(type_, value):
        raise SchemaError(f"expected a default that fits {type_.label}, got {value!r}")
    return _ENCODE[type_.kind](type_, value)


def fits(type_: Type, value: Any) -> bool:
    """Tell whether a JSON value is one for `type_`, seen without looking into items and fields."""
    match type_.kind:
        case "union":
            return any(fits(branch, value) for branch in type_.branches)
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            bits = 31 if type_.kind == "int" else 63
            return isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "bytes" | "fixed":
            latin = isinstance(value, str) and all(char <= "\xff" for char in value)
            return latin and (type_.kind == "bytes" or len(value) == type_.size)
        case "enum":
            return value in type_.symbols
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _text(type_: Type, value: str) -> bytes:
    data = value.encode("utf-8" if type_.kind == "string" else "latin-1")
    return data if type_.kind == "fixed" else sized(data)


def _array(type_: Type, value: list[Any]) -> bytes:
    assert type_.items is not None
    items = [encode_default(type_.items, item) for item in value]
    return b"".join((zigzag(len(items)), *items, b"\0")) if items else b"\0"


def _map(type_: Type, value: dict[str, Any]) -> bytes:
    assert type_.items is not None
    items = [_text(_STRING, key) + encode_default(type_.items, item) for key, item in value.items()]
    return b"".join((zigzag(len(items)), *items, b"\0")) if items else b"\0"


def _record(type_: Type, value: dict[str, Any]) -> bytes:
    parts = []
    for field in type_.fields:
        given = value.get(field.name, field.default)
        if given is MISSING:
            raise SchemaError(f"expected a default of {type_.label} with the field {field.name!r}, got {value!r}")
        parts.append(encode_default(field.type, given))
    return b"".join(parts)


_STRING: Final = Type("string")

_ENCODE: Final[Mapping[str, Callable[[Type, Any], bytes]]] = {
    "null": lambda type_, value: b"",
    "boolean": lambda type_, value: b"\1" if value else b"\0",
    "int": lambda type_, value: zigzag(value),
    "long": lambda type_, value: zigzag(value),
    "float": lambda type_, value: pack("<f", value),
    "double": lambda type_, value: pack("<d", value),
    "bytes": _text,
    "string": _text,
    "fixed": _text,
    "enum": lambda type_, value: zigzag(type_.symbols.index(value)),
    "array": _array,
    "map": _map,
    "record": _record,
}
