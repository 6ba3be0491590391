"""The writer may write texts, lists or maps of lengths that the reader's model does not accept."""

from __future__ import annotations

from stamp.compat.constrained import LENGTHS, constrained, looking
from stamp.compat.finding import Severity
from stamp.compat.rule import Rule

RULE = Rule(
    id="length-narrowed",
    severity=Severity.ERROR,
    title="The writer may write texts or lists of a length that the reader's model does not accept",
    why=(
        "Lengths are nothing that Avro knows: the datum is decoded, and then the reader's model refuses it. The contracts say "
        "under stamp how long values may be."
    ),
    remedy=(
        "Let the reader accept the new values before any writer writes them; or let the writer say, under stamp, that it "
        "writes no others."
    ),
    example=constrained("string", {"maxLength": 80}, {"maxLength": 40}),
    kinds=frozenset({"record"}),
    look=looking(LENGTHS),
)
