"""The writer may write text of another form than the reader's model demands."""

from __future__ import annotations

from stamp.compat.constrained import FORMATS, constrained, looking
from stamp.compat.finding import Severity
from stamp.compat.rule import Rule

RULE = Rule(
    id="format-narrowed",
    severity=Severity.ERROR,
    title="The writer may write text that has not the form which the reader's model demands",
    why=(
        "An e-mail address, a URL, a decimal and a text with a pattern are all plain text to Avro: the datum is decoded, and then "
        "the reader's model refuses it. The contracts say under stamp which form texts have."
    ),
    remedy=(
        "Let the reader accept the new values before any writer writes them; or let the writer say, under stamp, that it "
        "writes no others."
    ),
    example=constrained("string", {}, {"format": "email"}),
    kinds=frozenset({"record"}),
    look=looking(FORMATS),
)
