"""Why a message becomes a dead letter."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Final

from stamp.errors import (
    DecodeError,
    EncodeError,
    HandlerError,
    LimitError,
    MissingContributionError,
    NoTransactionError,
    ResolutionError,
    SchemaError,
    StampError,
    UnknownSchemaError,
    UsedEventIdError,
    UsedIdError,
    WireError,
    WorkflowError,
)
from stamp.runtime.misfit import Misfit
from stamp.runtime.outside import LONGEST
from stamp.store.dead_letters import Letter
from stamp.workflow import fail

__all__ = [
    "ATTEMPTS",
    "CONFLICTS",
    "DEATHS",
    "HOPELESS",
    "REASONS",
    "is_hopeless",
    "letter",
    "read",
    "sayable",
    "told",
    "withheld",
    "written",
]

ATTEMPTS: Final = "attempts-exhausted"
DEATHS: Final = "worker-died"

HOPELESS: Final[Mapping[type[Exception], str]] = {
    LimitError: "too-large",
    DecodeError: "undecodable",
    WireError: "no-envelope",
    UnknownSchemaError: "unknown-schema",
    ResolutionError: "unreadable",
    SchemaError: "bad-schema",
    MissingContributionError: "missing-contribution",
    HandlerError: "undeclared-answer",
    EncodeError: "unwritable-answer",
    NoTransactionError: "no-transaction",
    WorkflowError: "not-for-this-step",
    UsedEventIdError: "used-event-id",
    UsedIdError: "used-id",
}
"""Errors that would come again at every attempt, and the reason that they are told as; the first that fits."""

CONFLICTS: Final = ("used-id", "used-event-id")
"""The reasons of what has an id under which other content was taken before: somebody forges, or uses an id twice."""

REASONS: Final = (*HOPELESS.values(), ATTEMPTS, DEATHS)
MAX_TOLD: Final = 2_000
MAX_MESSAGE: Final = 16_000
MAX_TRACEBACK: Final = 10_000


def is_hopeless(error: BaseException) -> bool:
    """Tell whether another attempt would raise the same."""
    return isinstance(error, tuple(HOPELESS))


def sayable(error: BaseException) -> BaseException:
    """Return `error`, or one in its place if its text cannot be made: whoever tells of it must not fail for that."""
    try:
        str(error)
    except Exception:  # noqa: BLE001 - code of whoever wrote the error
        text = f"expected an error that says something, got a {type(error).__name__} whose text cannot be made"
        return StampError(text).with_traceback(error.__traceback__)
    return error


def told(error: BaseException) -> str:
    """Return what kind of error it is, and what it says, as far as somebody would read."""
    return f"{type(error).__name__}: {str(error)[:MAX_TOLD]}"


def letter(error: BaseException, reason: str | None = None, misfit: Misfit | None = None) -> Letter:
    """Return what a dead letter says of an error; `reason` is that of the error, by default, `misfit` the schemas that it is about."""
    fitting = reason or next((code for kind, code in HOPELESS.items() if isinstance(error, kind)), ATTEMPTS)
    told = "" if is_hopeless(error) else "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]
    return Letter(
        reason=fitting,
        error_type=type(error).__name__,
        error_message=_storable(str(error)[:MAX_MESSAGE]),
        traceback=_storable(told),
        writer=None if misfit is None else misfit.writer,
        reader=None if misfit is None else misfit.reader,
    )


def withheld(letter: Letter, event_id: bytes) -> Letter:
    """Return a letter without what an error says: where its text is, in its place."""
    return letter._replace(error_message=fail.withheld(event_id), traceback="")


def written(letter: Letter) -> str:
    """Return a letter on one line, for where there is room for no more: in a header of the message."""
    return ": ".join(filter(None, (letter.reason, letter.error_type, letter.error_message)))


def read(line: str) -> Letter:
    """Return the letter that `written` has put on a line, or what somebody else has, as far as it says."""
    reason, _, error = line[:MAX_MESSAGE].partition(": ")
    kind, _, message = error.partition(": ")
    return Letter(reason[:LONGEST], kind[:LONGEST], message)


def _storable(text: str) -> str:
    """Return `text` without what a database refuses: half surrogates, and NUL, which PostgreSQL does not store."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
