"""Avro schema resolution: which writer types a reader type can read (Avro 1.12, "Schema Resolution").

Two choices go beyond the letter of the specification, both towards never giving a wrong value:

* A known logical type is part of the type. A reader reads the same logical type, one that holds every value of the writer's
  exactly (`timestamp-millis` as `timestamp-micros`, a decimal with more digits), or the plain type below; never another meaning.
* The branch of a reader's union is the first of the writer's own kind that can be read whole, then the first by promotion.
  "The first that matches" would read `int` through `["float", "int"]` as a float, and would take a record of the same name
  whose fields cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from stamp.schema.names import unqualified
from stamp.schema.types import MISSING, Field, Type

__all__ = ["PROMOTIONS", "Readability", "sources", "why_not"]

PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}

FINER: Final = {
    ("time-millis", "time-micros"),
    ("timestamp-millis", "timestamp-micros"),
    ("local-timestamp-millis", "local-timestamp-micros"),
}
"""Pairs of logical types in which the reader's holds every value of the writer's, scaled by 1,000."""

Pair: TypeAlias = tuple[Type, Type]


def why_not(writer: Type, reader: Type) -> str | None:
    """Say why `reader` cannot read `writer`, looking at these two types alone; None when nothing speaks against it.

    Neither is a union. What fields, items and symbols do to each other is not looked at.
    """
    if writer.kind != reader.kind:
        if reader.kind not in PROMOTIONS.get(writer.kind, ()):
            return f"{writer.label} cannot be read as {reader.label}"
    elif writer.name and not _names_match(writer, reader):
        return f"{writer.label} has another name than {reader.label}, and is none of its aliases"
    elif writer.size != reader.size:
        return f"{writer.label} has {writer.size} bytes, {reader.label} {reader.size}"
    return _logical_clash(writer, reader)


def _names_match(writer: Type, reader: Type) -> bool:
    return unqualified(writer.name) == unqualified(reader.name) or writer.name in reader.aliases


def _logical_clash(writer: Type, reader: Type) -> str | None:
    if not writer.logical or not reader.logical or (writer.logical, reader.logical) in FINER:
        return None
    if writer.logical != reader.logical:
        return f"{writer.label} means something else than {reader.label}"
    if writer.logical != "decimal":
        return None
    digits = (writer.precision - writer.scale, reader.precision - reader.scale)
    if writer.scale > reader.scale or digits[0] > digits[1]:
        return f"{writer.label} has values that {reader.label} cannot hold"
    return None


def sources(reader: Type, writer: Type) -> list[tuple[Field, Field | None]]:
    """Pair each field of the record `reader` with the field of `writer` that it takes its value from, None where there is none.

    By name, else by the first alias that the writer has. A name that is also another field's alias gives way to an alias of its
    own, so that two fields can swap names.
    """
    written = {each.name: each for each in writer.fields}
    claimed = {alias for each in reader.fields for alias in each.aliases}
    pairs = []
    for wanted in reader.fields:
        direct = written.get(wanted.name)
        aliased = next((written[alias] for alias in wanted.aliases if alias in written), None)
        pairs.append((wanted, aliased or direct if wanted.name in claimed else direct or aliased))
    return pairs


class Readability:
    """Which pairs of types can be read whole: for every datum of the writer there is one for the reader.

    The verdict is the greatest fixpoint over all pairs that can be reached, so recursive types are judged exactly; deciding
    along a walk, with "in progress, so compatible", is what makes other checkers unsound.
    """

    def __init__(self) -> None:
        self._known: dict[Pair, bool] = {}

    def is_readable(self, writer: Type, reader: Type) -> bool:
        """Tell whether every datum of `writer` can be read as `reader`."""
        if (writer, reader) not in self._known:
            self._solve((writer, reader))
        return self._known[writer, reader]

    def branch(self, writer: Type, reader: Type) -> Type | None:
        """Return the branch of the union `reader` through which `writer` (no union) is read; None when there is none.

        Where no branch can read every datum, a branch of the writer's own kind is returned: some data may still be readable.
        """
        fitting = _candidates(writer, reader.branches)
        whole = (each for each in fitting if self.is_readable(writer, each))
        return next(whole, None) or next((each for each in fitting if each.kind == writer.kind), None)

    def obstacle(self, writer: Type, reader: Type, path: str = "") -> str | None:
        """Say what keeps `reader` from reading every datum of `writer`, with the path to it; None when nothing does."""
        if self.is_readable(writer, reader):
            return None
        if writer.kind == "union":
            branch = next(each for each in writer.branches if not self.is_readable(each, reader))
            return self.obstacle(branch, reader, path)
        if reader.kind == "union":
            through = self.branch(writer, reader)
            if through is None:
                return f"{path or 'the whole'}: {writer.label} cannot be read as any branch of {reader.label}"
            return self.obstacle(writer, through, path)
        if (reason := why_not(writer, reader)) is not None:
            return f"{path or 'the whole'}: {reason}"
        if writer.items is not None and reader.items is not None:
            return self.obstacle(writer.items, reader.items, path + "[]")
        if writer.kind == "enum":
            lost = ", ".join(symbol for symbol in writer.symbols if symbol not in reader.symbols)
            return f"{path or 'the whole'}: {reader.label} lacks the symbols {lost}, and has no default"
        return self._field_obstacle(writer, reader, path)

    def _field_obstacle(self, writer: Type, reader: Type, path: str) -> str:
        for wanted, source in sources(reader, writer):
            inner = f"{path}.{wanted.name}".removeprefix(".")
            if source is None and wanted.default is MISSING:
                return f"{inner}: {writer.label} does not have this field, and it has no default"
            if source is not None and (found := self.obstacle(source.type, wanted.type, inner)):
                return found
        raise AssertionError(f"{writer} can be read as {reader}")

    def _solve(self, root: Pair) -> None:
        needs: dict[Pair, list[list[Pair]]] = {}
        waiting = [root]
        while waiting:
            pair = waiting.pop()
            if pair in needs or pair in self._known:
                continue
            needs[pair] = list(_needs(*pair))
            waiting += (option for options in needs[pair] for option in options)
        holds = dict.fromkeys(needs, True) | self._known
        changed = True
        while changed:
            fallen = [p for p in needs if holds[p] and not all(any(holds[o] for o in options) for options in needs[p])]
            holds.update(dict.fromkeys(fallen, False))
            changed = bool(fallen)
        self._known = holds


def _candidates(writer: Type, branches: Sequence[Type]) -> list[Type]:
    fitting = [branch for branch in branches if why_not(writer, branch) is None]
    return sorted(fitting, key=lambda branch: (branch.kind != writer.kind, branch.name != writer.name))


def _needs(writer: Type, reader: Type) -> Iterator[list[Pair]]:
    """Yield what must hold for the pair to be readable: of each list at least one pair. An empty list never holds."""
    if writer.kind == "union":
        yield from ([(branch, reader)] for branch in writer.branches)
    elif reader.kind == "union":
        yield [(writer, branch) for branch in _candidates(writer, reader.branches)]
    elif why_not(writer, reader) is not None:
        yield []
    elif writer.items is not None and reader.items is not None:
        yield [(writer.items, reader.items)]
    elif writer.kind == "enum":
        if reader.default is None and not set(writer.symbols) <= set(reader.symbols):
            yield []
    elif writer.kind == "record":
        for wanted, source in sources(reader, writer):
            if source is not None:
                yield [(source.type, wanted.type)]
            elif wanted.default is MISSING:
                yield []
