"""The values that show what is wrong with reading one type as another: those that are refused, and those that are read otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stamp.compat.constrained import narrowed
from stamp.compat.datum import digits
from stamp.compat.smallest import Smallest
from stamp.schema.defaults import gives_value
from stamp.schema.resolve import lost_symbols, sources, why_not
from stamp.schema.types import MISSING, Type

__all__ = ["HAZARDS", "refused", "telling"]


def refused(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
    """Yield values of `writer` that a reader has no value for because of these two types themselves, not of what is in them."""
    if why_not(writer, reader) is not None:
        yield telling(writer, smallest)
    elif writer.kind == "enum" and reader.default is None:
        yield from lost_symbols(writer, reader)[:1]
    elif writer.kind == "record" and any(
        source is None and not gives_value(wanted) for wanted, source in sources(reader, writer)
    ):
        yield smallest.datum(writer)


def telling(writer: Type, smallest: Smallest) -> Any:
    """Return the smallest value that needs all that its type has: a decimal of most digits, a time that is no whole millisecond."""
    if writer.logical == "decimal":
        return digits(writer, 10**writer.precision - 1)
    if writer.logical in _FINE:
        return 1
    return smallest.datum(writer)


_FINE: Final = frozenset({"time-micros", "timestamp-micros", "local-timestamp-micros", "timedelta-micros"})


def _rounded(writer: Type, reader: Type, _: Smallest) -> Iterator[Any]:
    if reader.kind in _FLOATING and writer.kind == "long":
        yield 2**53 + 1


_FLOATING: Final = frozenset({"float", "double"})


def _not_text(writer: Type, reader: Type, _: Smallest) -> Iterator[Any]:
    if (writer.kind, reader.kind) == ("bytes", "string"):
        yield b"\xff"


def _no_uuid(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
    if (
        writer.kind in {"string", "bytes"}
        and not writer.logical
        and (reader.kind, reader.logical) == ("string", "uuid")
    ):
        yield "C-17" if writer.kind == "string" else smallest.datum(writer)


def _meaning_added(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
    if writer.logical or not reader.logical or reader.kind == "string":
        return
    if reader.logical == "decimal":
        yield digits(writer, 10**reader.precision if writer.kind == "bytes" else 1)
    elif writer.kind in _LARGEST:
        yield _SMALL.get(reader.logical, _LARGEST[writer.kind])
    else:
        yield smallest.datum(writer)


_SMALL: Final[Mapping[str, int]] = {"time-millis": -1, "time-micros": -1, "timedelta-micros": 1}
"""Numbers that are no time of day, and one that shows another meaning; what is counted from 1970 ends with the calendar."""


_LARGEST: Final[Mapping[str, int]] = {"int": 2**31 - 1, "long": 2**63 - 1}


def _meaning_removed(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
    if writer.logical and not reader.logical and reader.kind not in _AS_WRITTEN:
        yield 1 if writer.kind in _LARGEST else telling(writer, smallest)


_AS_WRITTEN: Final = frozenset({"string", "union"})
"""A UUID in text is the same text; what a union sees, its branch does."""


def _symbol_lost(writer: Type, reader: Type, _: Smallest) -> Iterator[Any]:
    if writer.kind == reader.kind == "enum" and reader.default is not None:
        yield from lost_symbols(writer, reader)[:1]


def _demanded(writer: Type, reader: Type, smallest: Smallest) -> Iterator[Any]:
    """Yield records with a value that a constraint of the reader's refuses."""
    if writer.kind == reader.kind == "record":
        for source, _, each in narrowed(writer, reader):
            if each.value is not MISSING:
                yield {**smallest.datum(writer), source.name: each.value}


HAZARDS: Final[Mapping[str, Callable[[Type, Type, Smallest], Iterator[Any]]]] = {
    "lossy-promotion": _rounded,
    "bytes-read-as-string": _not_text,
    "text-read-as-uuid": _no_uuid,
    "logical-type-added": _meaning_added,
    "logical-type-removed": _meaning_removed,
    "enum-symbols-read-as-default": _symbol_lost,
    **dict.fromkeys(("values-narrowed", "range-narrowed", "length-narrowed", "format-narrowed"), _demanded),
}
"""By rule: the values that may be read otherwise than they were meant, or be refused after all."""
