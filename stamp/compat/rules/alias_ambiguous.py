"""The writer has several fields that are one field of the reader by its name and aliases."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import sources


def look(pair: Pair) -> Iterator[Issue]:
    """Find fields with more than one source. An alias that the writer's field has too is one that the writer knows of."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    written = {each.name: each for each in writer.fields}
    for wanted, source in sources(reader, writer):
        names = [name for name in (wanted.name, *wanted.aliases) if name in written]
        own = written.get(wanted.name)
        if source is None or len(names) < 2 or (own is not None and {*names[1:]} <= {*own.aliases}):
            continue
        yield Issue(
            f'expected one field of the writer for "{wanted.name}", got {" and ".join(names)}: '
            f"stamp takes {source.name}, some Avro libraries the other one, or fail",
            "aliases",
            wanted,
            source,
        )


RULE = Rule(
    id="alias-ambiguous",
    severity=Severity.WARNING,
    title="The writer has several fields that are one field of the reader by its name and aliases",
    why=(
        "Avro does not say which of them wins. Ours takes the field of the reader's own name; fastavro takes the alias, and Java fails. "
        "Where two fields swap names, each an alias of the other, ours and Java's take the aliases, and fastavro fails."
    ),
    remedy="Drop the alias as soon as a writer uses both names.",
    example=Example(
        writer={
            "type": "record",
            "name": "Order",
            "fields": [{"name": "amount", "type": "int"}, {"name": "total", "type": "int"}],
        },
        reader={"type": "record", "name": "Order", "fields": [{"name": "total", "type": "int", "aliases": ["amount"]}]},
    ),
    kinds=frozenset({"record"}),
    look=look,
)
