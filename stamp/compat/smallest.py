"""The smallest datum of a type: what stands beside the one value that a datum is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final

from stamp.compat.boundary import accepts, at_boundaries
from stamp.compat.datum import Branch, digits, encode
from stamp.schema.constraint import Constraint
from stamp.schema.types import Field, Type
from stamp.schema.varint import zigzag

__all__ = ["Smallest", "parts"]


MAX_ITEMS: Final = 1_000
"""How many items the smallest array has at most, whatever is demanded of it."""

_TEXT: Final = Type("string")
_KEYS: Final = ("key", "k2", "k3")


def parts(type_: Type) -> list[Type]:
    """Return the types that a type is made of."""
    inner = [] if type_.items is None else [type_.items]
    return [*type_.branches, *(each.type for each in type_.fields), *inner]


class Smallest:
    """The smallest data of the types in a graph, by their bytes and by how many values they have: one more counts as a byte.

    A type that always contains itself has no data: its size is infinite.
    """

    def __init__(self, root: Type) -> None:
        self._sizes: dict[Type, float] = {}
        self._data: dict[Type, Any] = {}
        users: dict[Type, list[Type]] = {root: []}
        waiting = [root]
        while waiting:
            type_ = waiting.pop()
            self._sizes[type_] = inf
            for part in parts(type_):
                if part not in users:
                    users[part] = []
                    waiting.append(part)
                users[part].append(type_)
        waiting = list(self._sizes)
        while waiting:
            type_ = waiting.pop()
            if (size := self._size(type_)) < self._sizes[type_]:
                self._sizes[type_] = size
                waiting += users[type_]

    def size(self, type_: Type) -> float:
        """Return how many bytes and values together the smallest datum of a type has."""
        return self._sizes[type_]

    def branch(self, union: Type) -> int:
        """Return the number of the branch with the smallest datum."""
        return min(range(len(union.branches)), key=lambda number: self._branch_size(union, number))

    def datum(self, type_: Type) -> Any:
        """Return the smallest datum of a type, which must have one; its fields as they are constrained, if such values are known.

        Nobody changes it: it is made once.
        """
        if type_ not in self._data:
            self._data[type_] = self._datum(type_)
        return self._data[type_]

    def _datum(self, type_: Type) -> Any:
        if type_.kind == "union":
            number = self.branch(type_)
            return Branch(number, self.datum(type_.branches[number]))
        if type_.kind == "record":
            return {each.name: self.value(each) for each in type_.fields}
        return _LEAST[type_.logical if type_.logical in _LEAST else type_.kind](type_)

    def value(self, field: Field) -> Any:
        """Return the smallest datum of a field that its constraint accepts, as far as such values are known."""
        return self.lawful(field.type, field.constraint)

    def lawful(self, type_: Type, said: Constraint) -> Any:
        """Return the smallest datum of a type that a constraint accepts, as far as such values are known."""
        if not said:
            return self.datum(type_)
        if type_.kind == "union":
            number = self.branch(type_)
            return Branch(number, self.lawful(type_.branches[number], said.branch(type_, number)))
        if type_.kind == "record":
            inner = [(each, said.place(number)) for number, each in enumerate(type_.fields)]
            return {each.name: self.lawful(each.type, place or each.constraint) for each, place in inner}
        if type_.items is not None:
            return self._several(type_, said)
        least = self.datum(type_)
        found = [] if accepts(type_, said, least) else at_boundaries(type_, said)
        return min(found, key=lambda each: len(encode(type_, each)), default=least)

    def _several(self, type_: Type, said: Constraint) -> Any:
        assert type_.items is not None
        if type_.kind == "array":
            count = min(said.words.get("minItems", 0), MAX_ITEMS)
            return [self.lawful(type_.items, said.items)] * count
        keys = (at_boundaries(_TEXT, said.keys) or _KEYS)[: said.words.get("minProperties", 0)]
        return {key: self.lawful(type_.items, said.values) for key in keys}

    def _size(self, type_: Type) -> float:
        if type_.kind == "union":
            return min((self._branch_size(type_, number) for number in range(len(type_.branches))), default=inf)
        if type_.kind == "record":
            return 1 + sum(self._sizes[each.type] for each in type_.fields)
        if type_.kind == "fixed":
            return 1 + type_.size
        if type_.kind == "enum" and not type_.symbols:
            return inf
        return 1 + (_BYTES.get(type_.logical) or _BYTES.get(type_.kind, 1))

    def _branch_size(self, union: Type, number: int) -> float:
        return len(zigzag(number)) + self._sizes[union.branches[number]]


_BYTES: Final[Mapping[str, int]] = {"null": 0, "float": 4, "double": 8, "decimal": 2, "uuid": 37, "big-decimal": 4}
"""Bytes of the smallest datum, where that is not one byte or a fixed."""

_LEAST: Final[Mapping[str, Callable[[Type], Any]]] = {
    "null": lambda type_: None,
    "boolean": lambda type_: False,
    "int": lambda type_: 0,
    "long": lambda type_: 0,
    "float": lambda type_: 0.0,
    "double": lambda type_: 0.0,
    "bytes": lambda type_: b"",
    "string": lambda type_: "",
    "fixed": lambda type_: bytes(type_.size),
    "enum": lambda type_: type_.symbols[0],
    "array": lambda type_: [],
    "map": lambda type_: {},
    "decimal": lambda type_: digits(type_, 0),
    "big-decimal": lambda type_: b"\2\0\0",
    "uuid": lambda type_: bytes(16) if type_.size else "00000000-0000-0000-0000-000000000000",
}
