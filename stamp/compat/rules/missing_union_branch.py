"""No branch of the reader's union can read what the writer writes."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat.finding import Severity
from stamp.compat.rule import Example, Issue, Pair, Rule
from stamp.schema.matching import matches


def look(pair: Pair) -> Iterator[Issue]:
    """Say that no branch of the reader, which is a union here, reads the writer. Asked only when that is so."""
    writer, reader, _ = pair
    if any(matches(writer, branch) for branch in reader.branches):
        yield Issue(
            f"expected data that a branch of {reader.label} can read, got {writer.label} that it cannot read whole"
        )
    else:
        yield Issue(f"expected a branch of {reader.label}, got {writer.label}")


RULE = Rule(
    id="missing-union-branch",
    severity=Severity.ERROR,
    title="No branch of the reader's union can read what the writer writes",
    why=(
        "Each type that the writer may write must be readable as some branch of the reader's union. When a branch "
        "is there and something inside it is wrong, the causes say what."
    ),
    remedy="Add the branch to the reader, or mend the causes.",
    example=Example(
        writer=["null", "string"],
        reader=["null", "int"],
    ),
    kinds=frozenset({"union"}),
    look=look,
)
