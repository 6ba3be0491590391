"""Two fields of the reader take their values from one field of the writer."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import sources
from stamp.schema.types import Field


def look(pair: Pair) -> Iterator[Issue]:
    """Find fields of the writer that are taken more than once."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    first: dict[str, Field] = {}
    for wanted, source in sources(reader, writer):
        if source is None:
            continue
        if (other := first.setdefault(source.name, wanted)) is not wanted:
            yield Issue(
                f'expected one field that reads "{source.name}", got "{other.name}" and "{wanted.name}": '
                f"other Avro libraries give one of them its default, or fail",
                "aliases" if wanted.aliases else "name",
                wanted,
                source,
            )


RULE = Rule(
    id="alias-claimed-twice",
    severity=Severity.WARNING,
    title="Two fields of the reader take their values from one field of the writer",
    why="Avro does not say who gets the value. Ours gives it to both; Java and fastavro give one of them its default.",
    remedy="Leave the alias on the one field that is the old one renamed.",
    example=Example(
        writer={"type": "record", "name": "Order", "fields": [{"name": "amount", "type": "int"}]},
        reader={
            "type": "record",
            "name": "Order",
            "fields": [
                {"name": "net", "type": "int", "aliases": ["amount"]},
                {"name": "gross", "type": "int", "aliases": ["amount"]},
            ],
        },
    ),
    kinds=frozenset({"record"}),
    look=look,
)
