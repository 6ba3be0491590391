"""The symbols of an enum have another order."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule


def look(pair: Pair) -> Iterator[Issue]:
    """Find symbols of both that stand in another order."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    old = [symbol for symbol in writer.symbols if symbol in set(reader.symbols)]
    new = [symbol for symbol in reader.symbols if symbol in set(writer.symbols)]
    if old != new:
        yield Issue(f"expected the order {', '.join(old)}, got {', '.join(new)}: do not rely on positions", "symbols")


RULE = Rule(
    id="enum-reordered",
    severity=Severity.INFO,
    title="The symbols of an enum have another order",
    why=(
        "Symbols are read by name, so no value changes. What sorts or compares them by position, such as Avro's "
        "own sort order or a database of ordinals, sees another order."
    ),
    remedy="Add new symbols at the end.",
    example=Example(
        writer={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"]},
        reader={"type": "enum", "name": "Priority", "symbols": ["HIGH", "LOW"]},
    ),
    kinds=frozenset({"enum"}),
    look=look,
)
