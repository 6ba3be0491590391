"""Which types match by the letter of the specification, seen without looking into them (Avro 1.12, "Schema Resolution")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from stamp.schema.names import unqualified
from stamp.schema.types import Type

__all__ = ["PROMOTIONS", "Branches", "matches", "names_match"]

PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}


def matches(writer: Type, reader: Type) -> bool:
    """Tell whether two types match; neither is a union."""
    if writer.kind != reader.kind:
        return reader.kind in PROMOTIONS.get(writer.kind, ())
    return not writer.name or (writer.size == reader.size and names_match(writer, reader))


def names_match(writer: Type, reader: Type) -> bool:
    """Tell whether two named types are one by name: without their namespaces, or by an alias of the reader."""
    return (
        writer.name == reader.name
        or unqualified(writer.name) == unqualified(reader.name)
        or writer.name in reader.aliases
    )


class Branches:
    """The branches of a reader's union, found by what they match: a union may have a thousand, and as many of the writer's be asked for."""

    def __init__(self, branches: Iterable[Type]) -> None:
        self._numbers: dict[Type, int] = {}
        self._found: defaultdict[str, list[Type]] = defaultdict(list)
        for number, each in enumerate(branches):
            self._numbers.setdefault(each, number)
            for key in {unqualified(each.name), *each.aliases} if each.name else {each.kind}:
                self._found[key].append(each)

    def matching(self, writer: Type) -> list[Type]:
        """Return the branches that match a type, which is no union, in their order."""
        found = {each for key in _keys(writer) for each in self._found.get(key, ()) if matches(writer, each)}
        return sorted(found, key=self._numbers.__getitem__) if len(found) > 1 else list(found)


def _keys(writer: Type) -> Iterator[str]:
    """Yield what branches that match may be found by."""
    if writer.name:
        yield unqualified(writer.name)
        yield writer.name
    else:
        yield writer.kind
        yield from PROMOTIONS.get(writer.kind, ())
