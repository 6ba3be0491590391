"""The symbols of an enum have another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.names import LISTED, listed


def look(pair: Pair) -> Iterator[Issue]:
    """Find symbols of both that stand in another order."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    old = [symbol for symbol in writer.symbols if symbol in reader.numbers]
    new = [symbol for symbol in reader.symbols if symbol in writer.numbers]
    if old != new:
        moved = next(number for number, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        text = f"expected the order {_from(moved, old)}, got {_from(moved, new)}: do not rely on positions"
        yield Issue(text, "symbols")


def _from(number: int, symbols: Sequence[str]) -> str:
    """Return symbols for a message: of many, those from the first on that has moved."""
    return listed(symbols[number if len(symbols) > LISTED else 0 :])


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
