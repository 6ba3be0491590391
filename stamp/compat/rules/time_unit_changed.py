"""A time or timestamp has a finer unit than the writer's."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.resolve import FINER, mismatch


def look(pair: Pair) -> Iterator[Issue]:
    """Find units that are finer than the writer's."""
    writer, reader, _ = pair
    if (writer.logical, reader.logical) in FINER and mismatch(writer, reader) is None:
        yield Issue(
            f"expected {reader.label}, got {writer.label}: stamp converts it exactly, "
            f"other Avro libraries read a number that is 1,000 times too small",
            "logicalType",
        )


RULE = Rule(
    id="time-unit-changed",
    severity=Severity.WARNING,
    title="A time or timestamp has a finer unit than the writer's",
    why=(
        "The unit is not on the wire. Our reader converts milliseconds to microseconds exactly; other Avro "
        "libraries read the number as it is, and return times that are wrong by a factor of 1,000."
    ),
    remedy=(
        "Keep the unit for as long as anybody reads the field with another library; or add a field of the new unit"
        " under a new name."
    ),
    example=Example(
        writer={"type": "long", "logicalType": "timestamp-millis"},
        reader={"type": "long", "logicalType": "timestamp-micros"},
    ),
    kinds=frozenset({"int", "long"}),
    look=look,
)
