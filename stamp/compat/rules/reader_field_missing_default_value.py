"""The reader wants a field that the writer does not write, and has no default for it."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.defaults import gives_value
from stamp.schema.resolve import sources, without
from stamp.schema.types import MISSING, Field


def look(pair: Pair) -> Iterator[Issue]:
    """Find fields of the reader that nothing gives a value."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    for wanted, source in sources(reader, writer):
        if source is None and not gives_value(wanted):
            aliases = f" (or {', '.join(wanted.aliases)})" if wanted.aliases else ""
            yield Issue(
                f'expected the field "{wanted.name}"{aliases}, which has {_no_default(wanted)}, got none in {writer.label}',
                field=wanted,
            )


def _no_default(wanted: Field) -> str:
    if wanted.default is not MISSING:
        return without(wanted)
    if any(branch.kind == "null" for branch in wanted.type.branches):
        return "no default (null in a union is none by itself)"
    if wanted.type.default is not None:
        return "no default of its own (that of the enum is for unknown symbols only)"
    return "no default"


RULE = Rule(
    id="reader-field-missing-default-value",
    severity=Severity.ERROR,
    title="The reader wants a field that the writer does not write, and has no default for it",
    why=(
        "A reader fills a field that was not written with its default. A union with null is no default, and "
        "neither is the default of an enum type."
    ),
    remedy=(
        "Give the field an alias, when the writer has it under another name; else a default. "
        "A default for a field that is only renamed loses its value, and nothing says so."
    ),
    example=Example(
        writer={"type": "record", "name": "Order", "fields": []},
        reader={"type": "record", "name": "Order", "fields": [{"name": "note", "type": "string"}]},
    ),
    kinds=frozenset({"record"}),
    look=look,
)
