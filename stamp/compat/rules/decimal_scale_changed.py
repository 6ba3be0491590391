"""A decimal has another scale."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import why_not


def look(pair: Pair) -> Iterator[Issue]:
    """Find decimals that hold all of the writer's values with another scale."""
    writer, reader, _ = pair
    if not writer.logical == reader.logical == "decimal" or writer.scale == reader.scale or why_not(writer, reader):
        return
    yield Issue(
        f"expected a decimal of scale {reader.scale}, got scale {writer.scale}: stamp converts it exactly, "
        f"other Avro libraries read a value that is {10 ** (reader.scale - writer.scale):,} times too small",
        "scale",
    )


RULE = Rule(
    id="decimal-scale-changed",
    severity=Severity.WARNING,
    title="A decimal has another scale",
    why=(
        "The scale is not on the wire. Our reader converts exactly, since the new type holds every value of the "
        "old one; other Avro libraries take the digits with the reader's own scale: 1234.56 of scale 2 becomes "
        "12.3456 with scale 4."
    ),
    remedy=(
        "Keep the scale for as long as anybody reads the field with another library; or add a field of the new "
        "scale under a new name."
    ),
    example=Example(
        writer={"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        reader={"type": "bytes", "logicalType": "decimal", "precision": 11, "scale": 4},
    ),
    kinds=frozenset({"bytes", "fixed"}),
    look=look,
)
