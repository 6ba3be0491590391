"""Nothing says whether the reader's model accepts all that the writer may write."""

from __future__ import annotations

from stamp.compat.constrained import FORMATS, LENGTHS, RANGES, VALUES, constrained, looking
from stamp.compat.finding import Severity
from stamp.compat.rule import Rule

RULE = Rule(
    id="constraint-undecided",
    severity=Severity.WARNING,
    title="Whether the reader's model accepts all that the writer writes cannot be told",
    why=(
        "Two patterns are compared as texts alone, and of text with a pattern nobody knows how long it is or which values it may "
        "have. The reader's model may refuse what the writer writes."
    ),
    remedy=(
        "Use the same pattern on both sides, say the lengths beside it, or list the values. `stamp check --prove --code` tries "
        "the reader's model."
    ),
    example=constrained("string", {"pattern": "^[A-Z]{2}$"}, {"pattern": "^[A-Z]+$"}),
    kinds=frozenset({"record"}),
    look=looking(FORMATS | LENGTHS | RANGES | VALUES, certain=False),
)
