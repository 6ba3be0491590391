"""Which pairs of types no rule about the meaning of data can have anything to say of: most of them, told at a glance."""

from __future__ import annotations

from stamp.schema.resolve import WIDENINGS
from stamp.schema.types import MISSING, Field, Type

__all__ = ["is_quiet"]


def is_quiet(writer: Type, reader: Type) -> bool:
    """Tell whether two types that match are the same in meaning, seen without looking into them. Quick, not exact."""
    if writer.ignored or reader.ignored:
        return False
    if writer.kind != reader.kind:
        exact = "union" in {writer.kind, reader.kind} or (writer.kind, reader.kind) in WIDENINGS
        return exact and not writer.logical and not reader.logical
    if writer.kind == "record":
        if any(each.ignored for each in writer.special):
            return False
        return not reader.special or _is_quiet_record(writer, reader)
    if writer.kind == "enum":
        return writer.symbols == reader.symbols
    return (writer.logical, writer.precision, writer.scale) == (reader.logical, reader.precision, reader.scale)


def _is_quiet_record(writer: Type, reader: Type) -> bool:
    for each in reader.special:
        source = writer.by_name.get(each.name)
        written = MISSING if source is None else source.default
        if each.aliases or each.ignored or each.default != written is not MISSING:
            return False
        if each.constraint and (source is None or not _demands_the_same(source, each)):
            return False
    return True


def _demands_the_same(source: Field, wanted: Field) -> bool:
    """Tell whether a field demands what its source does, of the same type: the branches of a union have their constraints by place."""
    return wanted.constraint == source.constraint and source.type.mark == wanted.type.mark != ""
