"""How many values bytes can stand for: records of fields without bytes, defaults, and items of such records, make much of few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stamp.schema.defaults import Fit
from stamp.schema.limits import MAX_WEIGHTLESS
from stamp.schema.types import MISSING, Field, Type

__all__ = ["Weights", "counted"]


def counted(data: Any) -> int:
    """Return how many values there are in a datum, itself included."""
    count, waiting = 0, [data]
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return count


class Weights:
    """What data of types have at most in values, and at least in bytes.

    What is inside arrays, maps and a recursion counts as one, but not what is there without bytes: a default counts whole.
    """

    def __init__(self) -> None:
        self._values: dict[Type, int] = {}
        self._bytes: dict[Type, int] = {}
        self._defaults: dict[Field, int] = {}
        self._fit = Fit()
        self.recursive: set[Type] = set()
        """The records that have been found inside themselves."""

    def values(self, type_: Type) -> int:
        """Return how many values a datum has at most."""
        if type_.kind == "record":
            return self._of_record(type_, self._values, self._values_of)
        return max(map(self.values, type_.branches), default=1)

    def bytes(self, type_: Type) -> int:
        """Return how many bytes a datum takes at least."""
        if type_.kind == "record":
            return self._of_record(type_, self._bytes, lambda each: self.bytes(each.type)) - 1
        if type_.kind == "union":
            return 1 + min(map(self.bytes, type_.branches), default=0)
        return _BYTES.get(type_.kind, type_.size if type_.kind == "fixed" else 1)

    def values_per_byte(self, writer: Iterable[Type], reader: Type) -> float:
        """Return how many values of `reader` there are at most for each byte of what is written together."""
        least = sum(map(self.bytes, writer))
        return self.values(reader) / least if least else self.values(reader) * MAX_WEIGHTLESS

    def _of_record(self, record: Type, known: dict[Type, int], measure: Callable[[Field], int]) -> int:
        if record not in known:
            known[record] = 0  # while it is being measured
            known[record] = 1 + sum(map(measure, record.fields))
        elif not known[record]:
            self.recursive.add(record)
            return 1
        return known[record]

    def _values_of(self, field: Field) -> int:
        """Return how many values a field has at most, be it in the data or not."""
        return max(self.values(field.type), self._of_default(field))

    def _of_default(self, field: Field) -> int:
        if field not in self._defaults:
            self._defaults[field] = 0 if field.default is MISSING else self._given(field.type, field.default)
        return self._defaults[field]

    def _given(self, type_: Type, value: Any) -> int:
        if type_.kind == "union":
            branch = self._fit.branch(type_, value)
            return 1 if branch is None else self._given(branch, value)
        if type_.kind == "record":
            parts = (
                self._given(each.type, value[each.name]) if each.name in value else self._of_default(each)
                for each in type_.fields
            )
            return 1 + sum(parts)
        if type_.items is not None:
            items = value.values() if type_.kind == "map" else value
            return 1 + sum(self._given(type_.items, item) for item in items)
        return 1


_BYTES = {"null": 0, "float": 4, "double": 8}
