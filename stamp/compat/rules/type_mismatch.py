"""The reader's type cannot be read from the writer's."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import ALL, Example, Issue, Pair, Rule
from stamp.schema.resolve import PROMOTIONS
from stamp.schema.types import Type


def look(pair: Pair) -> Iterator[Issue]:
    """Find types of different kinds, of which one is not promoted to the other."""
    writer, reader, union = pair
    if writer.kind == reader.kind or reader.kind in PROMOTIONS.get(writer.kind, ()):
        return
    if writer.kind == "null" and union is not None:
        yield Issue(
            f"expected {_described(reader)}, got null, which the writer's type allows: {union.label}; "
            f"give the reader's type a null branch, or keep the field required in the writer"
        )
        return
    readable = " or ".join([_described(reader), *(kind for kind in PROMOTIONS if reader.kind in PROMOTIONS[kind])])
    whence = f", a branch of the writer's {union.label}" if union is not None else ""
    yield Issue(f"expected {readable}, got {_described(writer)}{whence}")


def _described(type_: Type) -> str:
    return f"{type_.label} (on {type_.kind})" if type_.logical else type_.label


RULE = Rule(
    id="type-mismatch",
    severity=Severity.ERROR,
    title="The reader's type cannot be read from the writer's",
    why=(
        "Avro reads a type as itself or as one that it promotes to (int to long, float, double; long to float, "
        "double; float to double; string and bytes to each other). Of anything else the reader can make no value."
    ),
    remedy="Give the field the writer's type, or a union that has it; or add a field of the new type under a new name.",
    example=Example(
        writer="int",
        reader="boolean",
    ),
    kinds=ALL,
    look=look,
)
