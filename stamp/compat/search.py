"""The way from the roots of two schemas to a place where they differ, that costs a datum the fewest bytes.

A datum fails because of one value in it. So the smallest one that fails is a shortest path: along it stands what the value is in,
and beside it, in the other fields of its records, the smallest data there are. Nothing is tried blindly, and nothing need be shrunk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, Final, NamedTuple, TypeAlias

from stamp.compat.datum import Branch, encode
from stamp.compat.smallest import Smallest
from stamp.schema.resolve import Readability, sources
from stamp.schema.types import MISSING, Field, Type
from stamp.schema.varint import zigzag

__all__ = ["MAX_SIZE", "Aim", "Candidate", "Find", "candidates", "segments"]

MAX_PLACES: Final = 20_000
"""How many places are looked at in search of one datum: a tenth of a second."""

MAX_SIZE: Final = 65_536
"""How large a datum may be that is of use to anybody, in bytes and values together."""

KEY: Final = "key"
"""The key of the one value in a map."""


class Aim(NamedTuple):
    """Which places count: all that `path` leads to, in names of the reader's; those of `types` only, where they are given.

    Without `path` all places count. What lies inside a place that counts does too.
    """

    path: Sequence[str] | None = None
    types: tuple[Type, Type] | None = None

    def is_hit(self, writer: Type, reader: Type) -> bool:
        """Tell whether the types at the end of the path are those that are meant."""
        if self.types is None:
            return True
        return writer is self.types[0] and (reader is self.types[1] or self.types[1] in reader.branches)


def segments(path: str) -> tuple[str, ...]:
    """Return the steps of a finding's path: names of fields, `[]` and `{}`."""
    return tuple(re.findall(r"\[\]|\{\}|[^.\[\]{}]+", path))


class _Step(NamedTuple):
    """One step of a way: into a field, the only item of an array, the only value of a map, or a branch of the writer's union."""

    writer: Type
    field: Field | None = None
    number: int = 0

    @property
    def name(self) -> str:
        if self.field is not None:
            return "." + self.field.name
        return _SEGMENTS.get(self.writer.kind, "")

    def around(self, datum: Any, smallest: Smallest) -> Any:
        if self.field is not None:
            fields = self.writer.fields
            return {each.name: datum if each is self.field else smallest.value(each) for each in fields}
        if self.writer.kind == "union":
            return Branch(self.number, datum)
        return [datum] if self.writer.kind == "array" else {KEY: datum}

    def offset(self, smallest: Smallest) -> int:
        """Return how many bytes come before the inner datum."""
        if self.field is not None:
            before = self.writer.fields[: list(self.writer.fields).index(self.field)]
            return sum(len(encode(each.type, smallest.value(each))) for each in before)
        if self.writer.kind == "union":
            return len(zigzag(self.number))
        return 1 if self.writer.kind == "array" else 2 + len(KEY)


class Candidate(NamedTuple):
    """A datum that is expected to fail because of `value`, of the type `writer`, that is read as `reader`.

    `path` leads to the value in names of the writer's, `offset` is where its bytes begin.
    """

    datum: Any
    value: Any
    writer: Type
    reader: Type
    path: str
    offset: int


_Steps: TypeAlias = "tuple[_Steps, _Step] | None"
"""The steps of a way, the last one first."""


class _Place(NamedTuple):
    writer: Type
    reader: Type
    at: int | None
    """How many segments of the path are behind; None when the place counts, or is inside one that does."""


Find: TypeAlias = Callable[[Type, Type, Smallest], Iterable[Any]]
"""Gives the values of a writer's type that have something against them as a reader's type. The former is no union."""


def candidates(
    root: tuple[Type, Type], aim: Aim, find: Find, *, smallest: Smallest, readability: Readability
) -> Iterator[Candidate]:
    """Yield data with the values that `find` finds in places that `aim` means, the smallest first."""
    order = count()
    start = _Place(*root, at=None if aim.path is None else 0)
    waiting: list[tuple[float, int, _Place, _Steps, Any]] = [(0, next(order), start, None, MISSING)]
    seen = set[_Place]()
    while waiting:
        cost, _, place, way, value = heappop(waiting)
        if value is not MISSING:
            yield _candidate(place, way, value, smallest)
            continue
        if place in seen:
            continue
        seen.add(place)
        if len(seen) > MAX_PLACES:
            return
        if aim.path is not None and place.at == len(aim.path) and aim.is_hit(place.writer, place.reader):
            heappush(waiting, (cost, next(order), place._replace(at=None), way, MISSING))
        if place.at is None and place.writer.kind != "union" and smallest.size(place.writer) < MAX_SIZE:
            for found in find(place.writer, place.reader, smallest):
                size = cost + len(encode(place.writer, found))
                heappush(waiting, (size, next(order), place, way, found))
        for step, inner in _inside(place, aim.path or (), readability):
            reached = cost + (_cost(step, smallest) if step else 0)
            if reached < MAX_SIZE:
                heappush(waiting, (reached, next(order), inner, (way, step) if step else way, MISSING))


def _inside(place: _Place, path: Sequence[str], readability: Readability) -> Iterator[tuple[_Step | None, _Place]]:
    """Yield the places inside one, as a decoder goes through them; into records of different names too, as the checks do."""
    writer, reader, at = place
    if writer.kind == "union":
        for number, branch in enumerate(writer.branches):
            yield _Step(writer, number=number), _Place(branch, reader, at)
    elif reader.kind == "union":
        if (through := readability.branch(writer, reader)) is not None:
            yield None, _Place(writer, through, at)
    elif writer.kind != reader.kind:
        return
    elif writer.items is not None and reader.items is not None:
        if at is None or path[at : at + 1] == (_SEGMENTS[writer.kind],):
            yield _Step(writer), _Place(writer.items, reader.items, at if at is None else at + 1)
    elif writer.kind == "record":
        for wanted, source in sources(reader, writer):
            if source is not None and (at is None or path[at : at + 1] == (wanted.name,)):
                yield _Step(writer, source), _Place(source.type, wanted.type, at if at is None else at + 1)


_SEGMENTS: Final = {"array": "[]", "map": "{}"}


def _cost(step: _Step, smallest: Smallest) -> float:
    """Return how much stands around the inner datum."""
    if step.field is not None:
        whole = smallest.size(step.writer)
        return whole - smallest.size(step.field.type) if whole < inf else inf
    if step.writer.kind == "union":
        return len(zigzag(step.number))
    return 2 if step.writer.kind == "array" else 3 + len(KEY)


def _candidate(place: _Place, way: _Steps, value: Any, smallest: Smallest) -> Candidate:
    datum, path, offset = value, "", 0
    while way is not None:
        way, step = way
        datum, path, offset = step.around(datum, smallest), step.name + path, step.offset(smallest) + offset
    return Candidate(datum, value, place.writer, place.reader, path.removeprefix("."), offset)
