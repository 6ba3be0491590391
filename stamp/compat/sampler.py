"""Data of a writer that all its readers should be able to read, by somebody's choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.boundary import accepts, at_boundaries
from stamp.compat.datum import Branch
from stamp.compat.extremes import values
from stamp.compat.smallest import Smallest
from stamp.schema.constraint import NOTHING, Constraint
from stamp.schema.resolve import Readability, sources
from stamp.schema.types import Type

__all__ = ["Choose", "Sampler", "Where"]

Choose: TypeAlias = Callable[[Hashable, Sequence[Any]], Any]
"""Chooses one of several things for a place: the place, as something that is equal for the same one, and what there is to choose."""

MAX_VALUES: Final = 2_000
"""How many values a datum has before it is brought to its end."""

MAX_RECURSION: Final = 3
"""How often a record may be inside itself before the datum is brought to its end."""

MAX_ITEMS: Final = 50
"""How many items a datum has at most, whatever is demanded."""

_Readers: TypeAlias = tuple[Type, ...]


class Where(NamedTuple):
    """A place in data: its type, those that it is read as, and what it is constrained to."""

    writer: Type
    readers: _Readers
    said: Constraint


class Sampler:
    """Builds data of `writer`, within and at its constraints; where `reader` sees more in plain data than the writer says, such only."""

    def __init__(self, writer: Type, reader: Type, choose: Choose) -> None:
        self._root = writer, (reader,)
        self._choose = choose
        self._smallest = Smallest(writer)
        self._readability = Readability()
        self._leaves: dict[Where, Sequence[Any]] = {}
        self._around: Counter[Type] = Counter()
        self._too_often = 0
        self.written = 0
        self.is_lawful = True
        """Whether the last datum is one that its writer writes, as far as constraints say: of some patterns nobody knows a text."""
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
        self.is_lawful = True
        return self._datum(*self._root)

    def _datum(self, writer: Type, readers: _Readers, said: Constraint = NOTHING) -> Any:
        self.written += 1
        if writer.kind == "union":
            number = self._number(Where(writer, readers, said))
            return Branch(number, self._datum(writer.branches[number], readers, said.branch(writer, number)))
        readers = tuple(filter(None, (self._through(writer, reader) for reader in readers)))
        if writer.kind == "record":
            return self._record(writer, readers, said)
        if writer.items is not None:
            return self._several(Where(writer, readers, said))
        leaves = self._values(Where(writer, readers, said))
        return leaves[0] if self._is_ending() else self._choose(Where(writer, readers, said), leaves)

    def _values(self, where: Where) -> Sequence[Any]:
        writer, readers, said = where
        leaves = self._leaves.get(where)
        if leaves is None:
            leaves = values(writer, readers, at_boundaries(writer, said) if said else ())
            leaves = self._leaves[where] = [each for each in leaves if accepts(writer, said, each)] if said else leaves
        if not leaves and said:
            self.is_lawful = False
            return self._values(Where(writer, readers, NOTHING))
        if not leaves:
            raise LookupError(f"expected a value of {writer.label} that all its readers see rightly, found none")
        return leaves

    def _several(self, where: Where) -> Any:
        writer, readers, said = where
        assert writer.items is not None
        items, inner = writer.items, tuple(each.items for each in readers if each.items is not None)
        least, most = _WORDS[writer.kind]
        if self._smallest.size(items) == inf:
            return [] if writer.kind == "array" else {}
        low, high = min(said.words.get(least, 0), MAX_ITEMS), min(said.words.get(most, MAX_ITEMS), MAX_ITEMS)
        counts = [
            count
            for count in dict.fromkeys((*_COUNTS, low, high if most in said.words else low))
            if low <= count <= high
        ]
        count = low if self._is_ending() else self._choose(where, counts or [low])
        if writer.kind == "array":
            found = [self._datum(items, inner, said.items) for _ in range(count)]
            return self._distinct(found, where, low) if "uniqueItems" in said.words else found
        keys = at_boundaries(_TEXT, said.keys)[:count] if said.keys else [*_KEYS, *map(str, range(count))][:count]
        self.is_lawful &= len(keys) >= low
        return {key: self._datum(items, inner, said.values) for key in keys}

    def _distinct(self, found: list[Any], where: Where, low: int) -> list[Any]:
        """Return each item once, and others beside them where that leaves too few."""
        distinct = _once(found)
        if len(distinct) < low and where.writer.items is not None:
            distinct = _once([*distinct, *at_boundaries(where.writer.items, where.said.items)])[:low]
        self.is_lawful &= len(distinct) >= low
        return distinct

    def _number(self, where: Where) -> int:
        union = where.writer
        if self._is_ending():
            return self._smallest.branch(union)
        possible = [number for number, each in enumerate(union.branches) if self._smallest.size(each) < inf]
        return int(self._choose(where, possible))

    def _record(self, writer: Type, readers: _Readers, said: Constraint) -> dict[str, Any]:
        wanted: dict[str, list[Type]] = {each.name: [] for each in writer.fields}
        for reader in readers:
            for field, source in sources(reader, writer):
                if source is not None:
                    wanted[source.name].append(field.type)
        self._around[writer] += 1
        self._too_often += self._around[writer] > MAX_RECURSION
        datum = {
            each.name: self._datum(each.type, tuple(wanted[each.name]), said.place(number) or each.constraint)
            for number, each in enumerate(writer.fields)
        }
        self._too_often -= self._around[writer] > MAX_RECURSION
        self._around[writer] -= 1
        return datum

    def _through(self, writer: Type, reader: Type) -> Type | None:
        return self._readability.branch(writer, reader) if reader.kind == "union" else reader

    def _is_ending(self) -> bool:
        return self._too_often > 0 or self.written > self._end


def _once(items: list[Any]) -> list[Any]:
    return [each for number, each in enumerate(items) if each not in items[:number]]


_COUNTS: Final = (1, 0, 2)
_KEYS: Final = ("key", "")
_TEXT: Final = Type("string")
_WORDS: Final = {"array": ("minItems", "maxItems"), "map": ("minProperties", "maxProperties")}
