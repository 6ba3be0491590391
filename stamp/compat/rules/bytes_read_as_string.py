"""Bytes are read as text."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import why_not


def look(pair: Pair) -> Iterator[Issue]:
    """Find bytes that become text."""
    writer, reader, _ = pair
    if writer.kind == "bytes" and why_not(writer, reader) is None:
        yield Issue(f"expected {reader.label}, got bytes: data that are not UTF-8 will be refused")


RULE = Rule(
    id="bytes-read-as-string",
    severity=Severity.WARNING,
    title="Bytes are read as text",
    why=(
        "Avro promotes bytes to string, and bytes need not be UTF-8. Our reader refuses those that are not; others"
        " replace them by question marks, or fail."
    ),
    remedy="Read bytes as bytes, or write string.",
    example=Example(
        writer="bytes",
        reader="string",
    ),
    kinds=frozenset({"string"}),
    look=look,
)
