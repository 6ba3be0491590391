"""A time or timestamp has a coarser unit than the writer's."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import FINER, mismatch


def look(pair: Pair) -> Iterator[Issue]:
    """Find units that are coarser than the writer's."""
    writer, reader, _ = pair
    if (reader.logical, writer.logical) in FINER and mismatch(writer, reader) is None:
        yield Issue(
            f"expected {reader.label}, got {writer.label}: a thousandth of the reader's unit would be lost",
            "logicalType",
        )


RULE = Rule(
    id="time-unit-narrowed",
    severity=Severity.ERROR,
    title="A time or timestamp has a coarser unit than the writer's",
    why=(
        "Microseconds have no exact value in milliseconds, and readers that ignore the writer's unit return times "
        "that are wrong by a factor of 1,000. Ours refuses the data."
    ),
    remedy="Keep the unit, or read microseconds and round where the value is used.",
    example=Example(
        writer={"type": "long", "logicalType": "timestamp-micros"},
        reader={"type": "long", "logicalType": "timestamp-millis"},
    ),
    kinds=frozenset({"int", "long"}),
    look=look,
)
