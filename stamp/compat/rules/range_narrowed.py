"""The writer may write numbers or times that the reader's model is too narrow for."""

from __future__ import annotations

from stamp.compat.constrained import RANGES, constrained, looking
from stamp.compat.finding import Severity
from stamp.compat.rule import Rule

RULE = Rule(
    id="range-narrowed",
    severity=Severity.ERROR,
    title="The writer may write numbers or times beyond what the reader's model accepts",
    why=(
        "Bounds and multiples are nothing that Avro knows: the datum is decoded, and then the reader's model refuses it. The "
        "contracts say under stamp between which bounds values are."
    ),
    remedy=(
        "Let the reader accept the new values before any writer writes them; or let the writer say, under stamp, that it "
        "writes no others."
    ),
    example=constrained("long", {"maximum": 9999}, {"maximum": 999}),
    kinds=frozenset({"record"}),
    look=looking(RANGES),
)
