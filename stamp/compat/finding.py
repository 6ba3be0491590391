"""What a check finds, as values. Nothing here renders; nothing here decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Fix", "Fragment", "Severity", "Witness"]


class Severity(StrEnum):
    """How much a finding matters: an error breaks a reader or changes a meaning, a warning may, an info is good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for an error, more for what matters less."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a file: its JSON on one line, where it stands in the document (JSON pointer, RFC 6901) and in the file.

    `line` and `column` count from 1; they and `file` are None for a schema that came from no file.
    """

    text: str
    pointer: str
    file: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A datum that the writer writes, and what the reader makes of it.

    `datum` is its JSON, `data` its Avro binary. `outcome` is the text of the exception, or what is read instead of what was meant.
    """

    datum: str
    data: bytes
    outcome: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that has been tried: with it the finding is gone. `text` says what to do, `schema` is the JSON of the changed side."""

    side: str
    text: str
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule has to say.

    `path` is in our terms (`validation.priority`, `items[].price`), `pointer` in those of Java's SchemaCompatibility (a JSON pointer into
    the reader, or into the writer for branches of its union). `causes` lead down to the fields at fault.
    """

    rule: str
    severity: Severity
    path: str
    message: str
    pointer: str = "/"
    reader: Fragment | None = None
    writer: Fragment | None = None
    causes: tuple[Finding, ...] = ()
    witness: Witness | None = None
    fix: Fix | None = None

    def leaves(self) -> Iterator[Finding]:
        """Yield the findings at the bottom of the tree of causes: this one, when it has no causes."""
        if not self.causes:
            yield self
        for cause in self.causes:
            yield from cause.leaves()
