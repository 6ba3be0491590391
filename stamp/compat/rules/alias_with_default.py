"""A renamed field has a default, which readers without aliases return."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import sources
from stamp.schema.types import MISSING


def look(pair: Pair) -> Iterator[Issue]:
    """Find fields that are read through an alias and have a default."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    for wanted, source in sources(reader, writer):
        if source is not None and source.name != wanted.name and wanted.default is not MISSING:
            yield Issue(
                f'expected a renamed field without default, got "{wanted.name}" with one: '
                f'libraries that ignore aliases will return it, whatever "{source.name}" is',
                "default",
                wanted,
                source,
            )


RULE = Rule(
    id="alias-with-default",
    severity=Severity.WARNING,
    title="A renamed field has a default, which readers without aliases return",
    why=(
        "Aliases are optional in Avro. A library that does not know them finds no field of this name and, instead "
        "of failing, silently gives the default."
    ),
    remedy="Leave the default out for as long as the old name is written, or be sure that every reader uses aliases.",
    example=Example(
        writer={"type": "record", "name": "Order", "fields": [{"name": "amount", "type": "int"}]},
        reader={
            "type": "record",
            "name": "Order",
            "fields": [{"name": "total", "type": "int", "aliases": ["amount"], "default": 0}],
        },
    ),
    kinds=frozenset({"record"}),
    look=look,
)
