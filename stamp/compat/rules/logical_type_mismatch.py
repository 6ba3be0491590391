"""The types agree, and the logical types mean different things."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import SCALARS, Example, Issue, Pair, Rule
from stamp.schema.resolve import FINER, clash, mismatch


def look(pair: Pair) -> Iterator[Issue]:
    """Find matching types whose values are not the same thing."""
    writer, reader, _ = pair
    if mismatch(writer, reader) or (reader.logical, writer.logical) in FINER or writer.logical == reader.logical:
        return
    if (reason := clash(writer, reader)) is not None:
        yield Issue(f"expected {reader.label}, got {writer.label}: {reason}", "logicalType")


RULE = Rule(
    id="logical-type-mismatch",
    severity=Severity.ERROR,
    title="The types agree, and the logical types mean different things",
    why=(
        "Avro compares the types below logical types only, so other checkers accept a date (days) as a timestamp "
        "(milliseconds), and their readers return a wrong value. Ours refuses the data."
    ),
    remedy="Keep the logical type; add a field of the new one under a new name.",
    example=Example(
        writer={"type": "int", "logicalType": "date"},
        reader={"type": "long", "logicalType": "timestamp-millis"},
    ),
    kinds=SCALARS | {"fixed"},
    look=look,
)
