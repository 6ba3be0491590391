"""The JSON form of a default (Avro 1.12, "Complex Types", table of default values) as Avro binary.

A decoder fills a missing field by decoding these bytes: defaults of every type, logical ones included, take the one path on which
everything else is read, and each reader gets a list or dict of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import pack
from typing import Any, Final

from stamp.errors import SchemaError
from stamp.schema.document import shown
from stamp.schema.ranges import has_meaning, is_held
from stamp.schema.types import MISSING, Field, Type
from stamp.schema.varint import sized, zigzag

__all__ = ["Fit", "encode_default", "fits", "gives_value"]


class Fit:
    """Which defaults fit which types whole, down to their last item, remembered as long as the schema is looked at.

    The default of a union is of its first branch that it fits whole (Avro 1.12, "Records": "the first schema that matches").
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Type, int], bool] = {}
        self._meaningful: dict[tuple[Type, int], bool] = {}

    def branch(self, union: Type, value: Any) -> Type | None:
        """Return the branch that a default is of, None when it fits none."""
        return next((branch for branch in union.branches if self.is_whole(branch, value)), None)

    def is_whole(self, type_: Type, value: Any) -> bool:
        """Tell whether a default fits a type whole. A record takes no more than its fields; those left out need a default."""
        key = type_, id(value)
        if key not in self._known:
            self._known[key] = self._is_whole(type_, value)
        return self._known[key]

    def _is_whole(self, type_: Type, value: Any) -> bool:
        if type_.kind == "union":
            return self.branch(type_, value) is not None
        if not fits(type_, value) or not is_held(type_, value):
            return False
        if type_.kind == "record":
            return value.keys() <= type_.by_name.keys() and all(
                self.is_whole(each.type, value[each.name]) if each.name in value else each.default is not MISSING
                for each in type_.fields
            )
        if type_.items is None:
            return True
        items = value.values() if type_.kind == "map" else value
        return all(self.is_whole(type_.items, item) for item in items)

    def is_meaningful(self, type_: Type, value: Any) -> bool:
        """Tell whether a default that fits whole, with what completes it, has a value in every logical type."""
        key = type_, id(value)
        if key not in self._meaningful:
            self._meaningful[key] = self._is_meaningful(type_, value)
        return self._meaningful[key]

    def _is_meaningful(self, type_: Type, value: Any) -> bool:
        if type_.kind == "union":
            branch = self.branch(type_, value)
            return branch is not None and self.is_meaningful(branch, value)
        if type_.kind == "record":
            return all(self.is_meaningful(each.type, value.get(each.name, each.default)) for each in type_.fields)
        if type_.items is None:
            return has_meaning(type_, value)
        return all(self.is_meaningful(type_.items, item) for item in (value.values() if type_.kind == "map" else value))


def gives_value(field: Field) -> bool:
    """Tell whether a field has a default that stands for a value where the field is missing: "" stands for no UUID."""
    if field.fills is None:
        field.fills = field.default is not MISSING and Fit().is_meaningful(field.type, field.default)
    return field.fills


def encode_default(type_: Type, value: Any) -> bytes:
    """Return the binary of a default, given in the JSON form of the schema.

    Raises:
        SchemaError: the default does not fit its type.
    """
    return _Encoder().encode(type_, value)


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
            return isinstance(value, str) and value in type_.numbers
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


class _Encoder:
    def __init__(self) -> None:
        self._fit = Fit()

    def encode(self, type_: Type, value: Any) -> bytes:
        if type_.kind == "union":
            branch = self._fit.branch(type_, value)
            if branch is None:
                raise SchemaError(f"expected a default that fits a branch of {type_.label}, got {shown(value)}")
            return zigzag(type_.branches.index(branch)) + self.encode(branch, value)
        if not fits(type_, value):
            raise SchemaError(f"expected a default that fits {type_.label}, got {shown(value)}")
        if type_.kind == "record":
            return b"".join(self._field(type_, each, value) for each in type_.fields)
        if type_.items is not None:
            return self._items(type_, type_.items, value)
        return _ENCODE[type_.kind](type_, value)

    def _field(self, record: Type, field: Field, value: dict[str, Any]) -> bytes:
        given = value.get(field.name, field.default)
        if given is MISSING:
            raise SchemaError(f"expected a default of {record.label} with the field {field.name!r}, got {shown(value)}")
        return self.encode(field.type, given)

    def _items(self, type_: Type, inner: Type, value: Any) -> bytes:
        if type_.kind == "array":
            items = [self.encode(inner, item) for item in value]
        else:
            items = [_text(_STRING, key) + self.encode(inner, item) for key, item in value.items()]
        return b"".join((zigzag(len(items)), *items, b"\0")) if items else b"\0"


def _text(type_: Type, value: str) -> bytes:
    data = value.encode("utf-8" if type_.kind == "string" else "latin-1")
    return data if type_.kind == "fixed" else sized(data)


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
    "enum": lambda type_, value: zigzag(type_.numbers[value]),
}
