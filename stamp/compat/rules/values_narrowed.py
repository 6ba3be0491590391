"""The writer may write values that are none of those that the reader's model takes."""

from __future__ import annotations

from stamp.compat.constrained import VALUES, constrained, looking
from stamp.compat.finding import Severity
from stamp.compat.rule import Rule

RULE = Rule(
    id="values-narrowed",
    severity=Severity.ERROR,
    title="The writer may write values that the reader's model does not list",
    why=(
        "A Literal, a tag of a discriminated union and a part of an enum are plain text, numbers or symbols to Avro: the datum is "
        "decoded, and then the reader's model refuses it. The contracts say under stamp which values there may be."
    ),
    remedy=(
        "Let the reader accept the new values before any writer writes them; or let the writer say, under stamp, that it "
        "writes no others."
    ),
    example=constrained("string", {"enum": ["card", "cash"]}, {"enum": ["card"]}),
    kinds=frozenset({"record"}),
    look=looking(VALUES),
)
