"""How many bytes data of a schema take: at most, and as they usually are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from stamp.schema.types import Type
from stamp.schema.varint import zigzag

__all__ = ["ASSUMED", "Assumptions", "Size", "size_of", "unbounded"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is taken for usual where a schema does not say: lengths in bytes, numbers of items, bytes of an int or a long."""

    string: int = 24
    bytes: int = 64
    items: int = 2
    number: int = 2
    workflow_id: int = 36


ASSUMED: Final = Assumptions()


class Size(NamedTuple):
    """Bytes: usually, and at most; None when there is no bound."""

    typical: int
    worst: int | None

    def __add__(self, other: object) -> Size:
        """Return the size of both together."""
        assert isinstance(other, Size)
        worst = None if self.worst is None or other.worst is None else self.worst + other.worst
        return Size(self.typical + other.typical, worst)


FIXED: Final[Mapping[str, Size]] = {
    "null": Size(0, 0),
    "boolean": Size(1, 1),
    "float": Size(4, 4),
    "double": Size(8, 8),
}
LOGICAL: Final[Mapping[str, Size]] = {
    "date": Size(3, 5),
    "time-millis": Size(4, 5),
    "time-micros": Size(6, 10),
    "timestamp-millis": Size(6, 10),
    "timestamp-micros": Size(8, 10),
    "local-timestamp-millis": Size(6, 10),
    "local-timestamp-micros": Size(8, 10),
    "timedelta-micros": Size(6, 10),
}
"""Varints of values of our time (Avro 1.12, "Primitive Types": 7 bits a byte)."""

UUID_TEXT: Final = 1 + 36


def size_of(type_: Type, assumed: Assumptions = ASSUMED) -> Size:
    """Return the size of data of a type."""
    return _Measure(assumed).size(type_)


class _Measure:
    def __init__(self, assumed: Assumptions) -> None:
        self._assumed = assumed
        self._known: dict[Type, Size] = {}

    def size(self, type_: Type) -> Size:
        if type_ not in self._known:
            self._known[type_] = Size(0, None)  # what contains itself has no bound
            self._known[type_] = self._size(type_)
        return self._known[type_]

    def _size(self, type_: Type) -> Size:
        if type_.logical in LOGICAL:
            return LOGICAL[type_.logical]
        if type_.kind in FIXED:
            return FIXED[type_.kind]
        match type_.kind:
            case "int" | "long":
                return Size(self._assumed.number, 5 if type_.kind == "int" else 10)
            case "string":
                return Size(UUID_TEXT, UUID_TEXT) if type_.logical == "uuid" else Size(1 + self._assumed.string, None)
            case "bytes":
                return self._bytes(type_)
            case "fixed":
                return Size(type_.size, type_.size)
            case "enum":
                return Size(1, len(zigzag(len(type_.symbols) - 1)))
            case "union":
                return self._union(type_)
            case "record":
                return sum((self.size(field.type) for field in type_.fields), start=Size(0, 0))
        return self._items(type_)

    def _bytes(self, type_: Type) -> Size:
        if type_.logical != "decimal":
            return Size(1 + self._assumed.bytes, None)
        most = (10**type_.precision - 1).bit_length() // 8 + 1
        return Size(1 + min(most, 4), len(zigzag(most)) + most)

    def _union(self, type_: Type) -> Size:
        sizes = [self.size(branch) for branch in type_.branches]
        worst = (
            None if any(size.worst is None for size in sizes) else max((size.worst or 0 for size in sizes), default=0)
        )
        return Size(1, 1) + Size(max((size.typical for size in sizes), default=0), worst)

    def _items(self, type_: Type) -> Size:
        assert type_.items is not None
        key = 1 + self._assumed.string if type_.kind == "map" else 0
        return Size(2 + self._assumed.items * (key + self.size(type_.items).typical), None)


def unbounded(type_: Type) -> tuple[str, ...]:
    """Return the paths in a record whose data may have any length."""
    return tuple(dict.fromkeys(_unbounded(type_, "", frozenset())))


def _unbounded(type_: Type, path: str, around: frozenset[Type]) -> Iterator[str]:
    endless = type_.items is not None or (type_.kind in {"string", "bytes"} and not type_.logical)
    if endless or type_ in around:
        yield path
    else:
        for field in type_.fields:
            yield from _unbounded(field.type, f"{path}.{field.name}".removeprefix("."), around | {type_})
        for branch in type_.branches:
            yield from _unbounded(branch, path, around | {type_})
