"""An enum got symbols, and has no default for the next ones."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.names import listed
from stamp.schema.resolve import lost_symbols


def look(pair: Pair) -> Iterator[Issue]:
    """Find enums that have all of the writer's symbols and more, and no default."""
    writer, reader, _ = pair
    if writer.kind != reader.kind or reader.default is not None or lost_symbols(writer, reader):
        return
    if new := listed(lost_symbols(reader, writer)):
        yield Issue(
            f"expected a default in an enum that grows, got {reader.name} with the new {new} and none: "
            f"readers with the old symbols cannot read the new ones",
            "symbols",
        )


RULE = Rule(
    id="enum-extended-without-default",
    severity=Severity.INFO,
    title="An enum got symbols, and has no default for the next ones",
    why=(
        "The pair itself is fine: the reader knows more than the writer writes. Readers of the old enum cannot "
        "read the new symbols, and this one will not read those that come after."
    ),
    remedy="Deploy the readers before the writer, and give the enum a default such as UNKNOWN.",
    example=Example(
        writer={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"]},
        reader={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH", "URGENT"]},
    ),
    kinds=frozenset({"enum"}),
    look=look,
)
