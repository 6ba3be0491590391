"""A decimal has less room than the writer's, before the point or after it."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import clash, mismatch


def look(pair: Pair) -> Iterator[Issue]:
    """Find decimals that hold less than the writer's."""
    writer, reader, _ = pair
    if mismatch(writer, reader) or not writer.logical == reader.logical == "decimal" or clash(writer, reader) is None:
        return
    before, after = writer.precision - writer.scale, writer.scale
    yield Issue(
        f"expected {reader.label}, got {writer.label}: its {before} digits before the point and {after} after it need "
        f"at least decimal({max(before, reader.precision - reader.scale) + max(after, reader.scale)}, {max(after, reader.scale)})",
        "scale" if writer.scale > reader.scale else "precision",
    )


RULE = Rule(
    id="decimal-narrowed",
    severity=Severity.ERROR,
    title="A decimal has less room than the writer's, before the point or after it",
    why=(
        "Values that need the lost digits cannot be told. Other Avro libraries read the digits with the reader's "
        "scale: 1234.56 of scale 2 becomes 12.3456 with scale 4. Ours reads what the reader's type holds for "
        "certain, and refuses the pair."
    ),
    remedy="Keep the reader's precision minus scale, and its scale, at least as large as the writer's.",
    example=Example(
        writer={"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        reader={"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
    ),
    kinds=frozenset({"bytes", "fixed"}),
    look=look,
)
