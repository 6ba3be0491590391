"""A default is another one than the writer's."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.document import shown
from stamp.schema.resolve import sources
from stamp.schema.types import MISSING, Type


def look(pair: Pair) -> Iterator[Issue]:
    """Find fields with two defaults. Where units or scales differ, so do equal values: that is another rule's."""
    writer, reader, _ = pair
    if writer.kind != reader.kind:
        return
    for wanted, source in sources(reader, writer):
        if source is None or MISSING in (wanted.default, source.default) or wanted.default == source.default:
            continue
        if _unit(wanted.type) == _unit(source.type):
            yield Issue(
                f"expected the writer's default {shown(source.default)}, got {shown(wanted.default)}: "
                f"data without the field mean something else here",
                "default",
                wanted,
                source,
            )


def _unit(type_: Type) -> tuple[str, int]:
    return type_.logical, type_.scale


RULE = Rule(
    id="default-changed",
    severity=Severity.INFO,
    title="A default is another one than the writer's",
    why=(
        "The pair itself is fine: the field is written. Data of older writers that lack it are read with the "
        "reader's default, and mean something else to it than to the writer."
    ),
    remedy="Nothing, if that is meant.",
    example=Example(
        writer={"type": "record", "name": "Order", "fields": [{"name": "copies", "type": "int", "default": 0}]},
        reader={"type": "record", "name": "Order", "fields": [{"name": "copies", "type": "int", "default": 1}]},
    ),
    kinds=frozenset({"record"}),
    look=look,
)
