"""How many values bytes can stand for: records of fields without bytes, and items of such records, make much of few."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stamp.schema.limits import MAX_WEIGHTLESS
from stamp.schema.types import Type

__all__ = ["Weights"]


class Weights:
    """What data of types have at most in values, and at least in bytes; what is inside arrays, maps and a recursion counts as one."""

    def __init__(self) -> None:
        self._values: dict[Type, int] = {}
        self._bytes: dict[Type, int] = {}
        self.recursive: set[Type] = set()
        """The records that have been found inside themselves."""

    def values(self, type_: Type) -> int:
        """Return how many values a datum has at most."""
        if type_.kind == "record":
            return self._of_record(type_, self._values, self.values)
        return max(map(self.values, type_.branches), default=1)

    def bytes(self, type_: Type) -> int:
        """Return how many bytes a datum takes at least."""
        if type_.kind == "record":
            return self._of_record(type_, self._bytes, self.bytes) - 1
        if type_.kind == "union":
            return 1 + min(map(self.bytes, type_.branches), default=0)
        return _BYTES.get(type_.kind, type_.size if type_.kind == "fixed" else 1)

    def density(self, writer: Iterable[Type], reader: Type) -> float:
        """Return how many values of `reader` there are at most for each byte of what is written together."""
        least = sum(map(self.bytes, writer))
        return self.values(reader) / least if least else self.values(reader) * MAX_WEIGHTLESS

    def _of_record(self, record: Type, known: dict[Type, int], measure: Callable[[Type], int]) -> int:
        if record not in known:
            known[record] = 0  # while it is being measured
            known[record] = 1 + sum(measure(each.type) for each in record.fields)
        elif not known[record]:
            self.recursive.add(record)
            return 1
        return known[record]


_BYTES = {"null": 0, "float": 4, "double": 8}
