"""An attribute of a schema counts for nothing, though it was meant to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stamp.compat.finding import Severity
from stamp.compat.rule import ALL, Example, Issue, Pair, Rule
from stamp.schema.ignored import Ignored
from stamp.schema.resolve import sources


def look(pair: Pair) -> Iterator[Issue]:
    """Find invalid logical types and constraints of types, and of fields that are read."""
    writer, reader, _ = pair
    yield from _issues(reader.ignored, writer.ignored)
    if writer.kind == reader.kind == "record":
        for wanted, source in sources(reader, writer):
            for issue in _issues(wanted.ignored, () if source is None else source.ignored):
                yield issue._replace(field=wanted, source=source)


def _issues(read: Sequence[Ignored], written: Sequence[Ignored]) -> Iterator[Issue]:
    for each in read:
        yield Issue(f"the reader's is ignored: {each.text}", each.at)
    known = set(read)
    for each in written:
        if each not in known:
            yield Issue(f"the writer's is ignored: {each.text}", each.at)


RULE = Rule(
    id="attribute-ignored",
    severity=Severity.WARNING,
    title="A logical type or constraint counts for nothing, since it is not valid where it stands",
    why=(
        "Avro has readers ignore a logical type that is invalid, or that stands beside the type of a field instead of in it: the values "
        "are plain numbers, bytes or text. Some libraries do not ignore it, and see other values. What stands under `stamp` and is no "
        "object is no constraint, and passed over likewise; so is a word under it that is misspelt, is about another type, or stands inside the "
        "type or at the record instead of at the field. Such a constraint holds nobody to anything, and no proof is about it."
    ),
    remedy="Say it where and as it counts, or leave it out. Either changes what readers see: it is a new version.",
    example=Example(
        writer={"type": "record", "name": "Order", "fields": [{"name": "at", "type": "long"}]},
        reader={
            "type": "record",
            "name": "Order",
            "fields": [{"name": "at", "type": "long", "logicalType": "timestamp-millis"}],
        },
    ),
    kinds=ALL,
    look=look,
)
