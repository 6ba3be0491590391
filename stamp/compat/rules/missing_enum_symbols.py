"""The writer's enum has symbols that the reader's has not, and no default for."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.names import listed
from stamp.schema.resolve import lost_symbols


def look(pair: Pair) -> Iterator[Issue]:
    """Find enums with symbols that have no reading."""
    writer, reader, _ = pair
    if writer.kind != reader.kind or reader.default is not None:
        return
    if lost := lost_symbols(writer, reader):
        yield Issue(f"expected the symbols {listed(reader.symbols)}, got also {listed(lost)}", "symbols")


RULE = Rule(
    id="missing-enum-symbols",
    severity=Severity.ERROR,
    title="The writer's enum has symbols that the reader's has not, and no default for",
    why=(
        "Of a symbol that it does not know, a reader makes the default of its enum type. Without one it cannot "
        "read the datum; the default of the field does not help."
    ),
    remedy=(
        "Add the symbols to the reader before any writer uses them, or give the reader's enum a default such as "
        "UNKNOWN."
    ),
    example=Example(
        writer={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH", "URGENT"]},
        reader={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"]},
    ),
    kinds=frozenset({"enum"}),
    look=look,
)
