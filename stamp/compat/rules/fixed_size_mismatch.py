"""A fixed has another number of bytes."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule


def look(pair: Pair) -> Iterator[Issue]:
    """Find fixed of two sizes."""
    writer, reader, _ = pair
    if writer.kind == reader.kind and writer.size != reader.size:
        yield Issue(f"expected {reader.name} of {reader.size} bytes, got {writer.size}", "size")


RULE = Rule(
    id="fixed-size-mismatch",
    severity=Severity.ERROR,
    title="A fixed has another number of bytes",
    why="A fixed has no length on the wire: both sides must agree on it.",
    remedy="Add a field with a fixed of the new size under a new name; a fixed never changes.",
    example=Example(
        writer={"type": "fixed", "name": "Hash", "size": 16},
        reader={"type": "fixed", "name": "Hash", "size": 32},
    ),
    kinds=frozenset({"fixed"}),
    look=look,
)
