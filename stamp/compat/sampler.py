"""Data of a writer that all its readers should be able to read, by somebody's choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any, Final, TypeAlias

from stamp.compat.datum import Branch
from stamp.compat.extremes import values
from stamp.compat.smallest import Smallest
from stamp.schema.resolve import Readability, sources
from stamp.schema.types import Type

__all__ = ["Choose", "Sampler"]

Choose: TypeAlias = Callable[[Hashable, Sequence[Any]], Any]
"""Chooses one of several things for a place: the place, as something that is equal for the same one, and what there is to choose."""

MAX_VALUES: Final = 2_000
"""How many values a datum has before it is brought to its end."""

MAX_RECURSION: Final = 3
"""How often a record may be inside itself before the datum is brought to its end."""

_Readers: TypeAlias = tuple[Type, ...]


class Sampler:
    """Builds data of `writer`; where `reader` sees more in plain data than the writer says, such data only."""

    def __init__(self, writer: Type, reader: Type, choose: Choose) -> None:
        self._root = writer, (reader,)
        self._choose = choose
        self._smallest = Smallest(writer)
        self._readability = Readability()
        self._leaves: dict[tuple[Type, _Readers], Sequence[Any]] = {}
        self._around: Counter[Type] = Counter()
        self._too_often = 0
        self.written = 0
        self._end = 0

    @property
    def size(self) -> float:
        """The size of the smallest datum; infinite when there is none."""
        return self._smallest.size(self._root[0])

    def datum(self) -> Any:
        """Return a datum; there must be one.

        Raises:
            LookupError: several readers of one value see things in it that contradict each other.
        """
        self._end = self.written + MAX_VALUES
        return self._datum(*self._root)

    def _datum(self, writer: Type, readers: _Readers) -> Any:
        self.written += 1
        if writer.kind == "union":
            number = self._number(writer, readers)
            return Branch(number, self._datum(writer.branches[number], readers))
        readers = tuple(filter(None, (self._through(writer, reader) for reader in readers)))
        if writer.kind == "record":
            return self._record(writer, readers)
        if writer.items is not None:
            items, inner = writer.items, tuple(each.items for each in readers if each.items is not None)
            count = 0 if self._is_ending() else self._choose((writer, readers), _COUNTS)
            if writer.kind == "array":
                return [self._datum(items, inner) for _ in range(count)]
            return {_KEYS[number]: self._datum(items, inner) for number in range(count)}
        leaves = self._leaves.get((writer, readers))
        if leaves is None:
            leaves = self._leaves[writer, readers] = values(writer, readers)
        if not leaves:
            raise LookupError(f"expected a value of {writer.label} that all its readers see rightly, found none")
        return leaves[0] if self._is_ending() else self._choose((writer, readers), leaves)

    def _number(self, union: Type, readers: _Readers) -> int:
        if self._is_ending():
            return self._smallest.branch(union)
        possible = [number for number, each in enumerate(union.branches) if self._smallest.size(each) < inf]
        return int(self._choose((union, readers), possible))

    def _record(self, writer: Type, readers: _Readers) -> dict[str, Any]:
        wanted: dict[str, list[Type]] = {each.name: [] for each in writer.fields}
        for reader in readers:
            for field, source in sources(reader, writer):
                if source is not None:
                    wanted[source.name].append(field.type)
        self._around[writer] += 1
        self._too_often += self._around[writer] > MAX_RECURSION
        datum = {each.name: self._datum(each.type, tuple(wanted[each.name])) for each in writer.fields}
        self._too_often -= self._around[writer] > MAX_RECURSION
        self._around[writer] -= 1
        return datum

    def _through(self, writer: Type, reader: Type) -> Type | None:
        return self._readability.branch(writer, reader) if reader.kind == "union" else reader

    def _is_ending(self) -> bool:
        return self._too_often > 0 or self.written > self._end


_COUNTS: Final = (1, 0, 2)
_KEYS: Final = ("key", "")
