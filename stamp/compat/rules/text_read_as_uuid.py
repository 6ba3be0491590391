"""The reader takes any text for a UUID."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import why_not


def look(pair: Pair) -> Iterator[Issue]:
    """Find UUIDs that are any text to the writer."""
    writer, reader, _ = pair
    if reader.logical == "uuid" and not writer.logical and why_not(writer, reader) is None:
        yield Issue(f"expected uuid, got plain {writer.label}: text that is no UUID will be refused", "logicalType")


RULE = Rule(
    id="text-read-as-uuid",
    severity=Severity.ERROR,
    title="The reader takes any text for a UUID",
    why=(
        "The writer may write any text. What is no UUID is refused when it arrives; other Avro libraries fail, or "
        "return the text."
    ),
    remedy="Give the writer's field the logical type uuid first, or read a string.",
    example=Example(
        writer="string",
        reader={"type": "string", "logicalType": "uuid"},
    ),
    kinds=frozenset({"string"}),
    look=look,
)
