"""The reader sees plain data where the writer has a logical type."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import SCALARS, Example, Issue, Pair, Rule
from stamp.schema.resolve import why_not


def look(pair: Pair) -> Iterator[Issue]:
    """Find logical types that the reader does not have. A UUID in text is the same text, so nothing is lost there."""
    writer, reader, _ = pair
    if writer.logical and not reader.logical and reader.kind != "string" and why_not(writer, reader) is None:
        yield Issue(
            f"expected plain {reader.label}, got {writer.label}: the reader sees what it is written as, not what it means",
            "logicalType",
        )


RULE = Rule(
    id="logical-type-removed",
    severity=Severity.WARNING,
    title="The reader sees plain data where the writer has a logical type",
    why=(
        "The reader gets the number or bytes below the logical type, and must know the unit or scale by itself. "
        "When the writer changes it, nothing tells."
    ),
    remedy="Give the reader's field the writer's logical type.",
    example=Example(
        writer={"type": "long", "logicalType": "timestamp-micros"},
        reader="long",
    ),
    kinds=SCALARS | {"fixed"},
    look=look,
)
