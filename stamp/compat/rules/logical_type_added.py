"""The reader sees a logical type in plain data."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import SCALARS, Example, Issue, Pair, Rule
from stamp.schema.resolve import why_not


def look(pair: Pair) -> Iterator[Issue]:
    """Find logical types that the writer does not have."""
    writer, reader, _ = pair
    if reader.logical and not writer.logical and reader.kind != "string" and why_not(writer, reader) is None:
        yield Issue(
            f"expected {reader.label}, got plain {writer.label}: whether its values are {reader.label} is not known",
            "logicalType",
        )


RULE = Rule(
    id="logical-type-added",
    severity=Severity.WARNING,
    title="The reader sees a logical type in plain data",
    why=(
        "Nothing says that the writer's numbers or bytes are in the unit that the reader takes them for. Values "
        "that it has none for, such as a time of day beyond midnight, are refused when they arrive."
    ),
    remedy="Make sure that the writer always meant this logical type; then say so in its schema too.",
    example=Example(
        writer="long",
        reader={"type": "long", "logicalType": "timestamp-micros"},
    ),
    kinds=SCALARS | {"fixed"},
    look=look,
)
