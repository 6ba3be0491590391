"""Symbols of the writer are read as the default of the reader's enum."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.names import listed
from stamp.schema.resolve import lost_symbols


def look(pair: Pair) -> Iterator[Issue]:
    """Find symbols that become the default."""
    writer, reader, _ = pair
    if writer.kind != reader.kind or reader.default is None:
        return
    if lost := lost_symbols(writer, reader):
        yield Issue(
            f"expected the symbols {listed(reader.symbols)}, got also {listed(lost)}: read as {reader.default}",
            "symbols",
        )


RULE = Rule(
    id="enum-symbols-read-as-default",
    severity=Severity.INFO,
    title="Symbols of the writer are read as the default of the reader's enum",
    why="That is what the default is for. It is good to know which symbols the reader can no longer tell apart.",
    remedy="Nothing, if that is meant; else add the symbols to the reader.",
    example=Example(
        writer={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH", "URGENT"]},
        reader={"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"], "default": "HIGH"},
    ),
    kinds=frozenset({"enum"}),
    look=look,
)
