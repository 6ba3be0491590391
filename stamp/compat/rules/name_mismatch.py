"""A named type has another name, and no alias says that it is the same."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import names_match


def look(pair: Pair) -> Iterator[Issue]:
    """Find named types of one kind whose names do not match."""
    writer, reader, _ = pair
    if writer.kind == reader.kind and not names_match(writer, reader):
        aliases = f" (or {', '.join(sorted(reader.aliases))})" if reader.aliases else ""
        yield Issue(f"expected the {reader.kind} {reader.name}{aliases}, got {writer.name}", "name")


RULE = Rule(
    id="name-mismatch",
    severity=Severity.ERROR,
    title="A named type has another name, and no alias says that it is the same",
    why=(
        "Records, enums and fixed are read by name: the last part must be equal, or the writer's full name an "
        "alias of the reader's type."
    ),
    remedy=(
        "Add the old name to the aliases of the reader's type. An alias without a dot belongs to the namespace of "
        "its type."
    ),
    example=Example(
        writer={"type": "fixed", "name": "Hash", "size": 16},
        reader={"type": "fixed", "name": "Digest", "size": 16},
    ),
    kinds=frozenset({"record", "enum", "fixed"}),
    look=look,
)
