"""An integer is read as a floating point number that cannot hold all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule

_EXACT_UP_TO: Final = {("int", "float"): "2^24", ("long", "float"): "2^24", ("long", "double"): "2^53"}
"""Promotions that round, with the largest integer up to which they do not."""


def look(pair: Pair) -> Iterator[Issue]:
    """Find promotions that round."""
    writer, reader, _ = pair
    if (exact := _EXACT_UP_TO.get((writer.kind, reader.kind))) is not None:
        yield Issue(f"expected {reader.label}, got {writer.label}: integers beyond {exact} will be rounded")


RULE = Rule(
    id="lossy-promotion",
    severity=Severity.WARNING,
    title="An integer is read as a floating point number that cannot hold all of them",
    why=(
        "A float has the integers up to 2^24 (16,777,216), a double those up to 2^53 (9,007,199,254,740,992). "
        "Larger ones are rounded, silently: ids and amounts in the smallest unit of money change."
    ),
    remedy=(
        "Read int as long or double, and long as long. Where the writer itself goes over to floating point numbers, read "
        "them as such, and accept this finding for the integers of before when they are small enough."
    ),
    example=Example(
        writer="long",
        reader="double",
    ),
    kinds=frozenset({"float", "double"}),
    look=look,
)
