"""What rules about constraints have in common: they look at the fields of two records, each at some words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Final

from stamp.compat.narrowing import Narrowing, narrowings
from stamp.compat.rule import Example, Issue, Look, Pair
from stamp.compat.smallest import Smallest
from stamp.schema.constraint import ATTRIBUTE
from stamp.schema.resolve import sources
from stamp.schema.types import Field, Type

__all__ = ["FORMATS", "LENGTHS", "RANGES", "VALUES", "constrained", "looking", "narrowed"]

VALUES: Final = frozenset({"enum"})
RANGES: Final = frozenset(
    {
        *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
        *("finite", "maxDigits", "decimalPlaces"),
    }
)
LENGTHS: Final = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"})
FORMATS: Final = frozenset({"format", "schemes", "pattern"})


def looking(words: Collection[str], *, certain: bool = True) -> Look:
    """Return what finds fields of which one of these words refuses something; not `certain`: of which that cannot be told."""

    def look(pair: Pair) -> Iterator[Issue]:
        if pair.writer.kind != "record":
            return
        for source, wanted, each in narrowed(pair.writer, pair.reader):
            if each.word in words and each.is_certain is certain:
                yield Issue(each.message, f"{ATTRIBUTE}{each.at}", wanted, source, each.inside)

    return look


def narrowed(writer: Type, reader: Type) -> Iterator[tuple[Field, Field, Narrowing]]:
    """Yield where fields of the record `reader` accept less than their sources in `writer` may hold: the source, the field, and why."""
    if any(each.constraint for each in reader.special):
        yield from _narrowed(writer, reader)


@lru_cache(maxsize=64)
def _narrowed(writer: Type, reader: Type) -> tuple[tuple[Field, Field, Narrowing], ...]:
    """Find once what several rules, and the search for a witness, ask for."""
    smallest = Smallest(writer)
    return tuple(
        (source, wanted, each)
        for wanted, source in sources(reader, writer)
        if source is not None and wanted.constraint
        for each in narrowings(source, wanted, smallest)
    )


def constrained(type_: Any, written: dict[str, Any], wanted: dict[str, Any]) -> Example:
    """Return an example: a field of one type that the writer constrains in one way, and the reader in another."""
    writer, reader = (_record(type_, said) for said in (written, wanted))
    return Example(writer, reader)


def _record(type_: Any, said: dict[str, Any]) -> dict[str, Any]:
    field = {"name": "value", "type": type_} | ({ATTRIBUTE: said} if said else {})
    return {"type": "record", "name": "Paid", "fields": [field]}
