"""Every error that stamp raises.

StampError
├── SchemaError                     a schema or a model is wrong: its author's fault
│   ├── UnknownSchemaError          no catalog entry for a SchemaId
│   └── ResolutionError             the reader schema cannot read what this writer wrote
├── WireError                       bytes are not what they should be: the sender's fault
│   ├── DecodeError                 a payload does not fit its schema
│   └── LimitError                  a bound on size, count or depth was passed
├── EncodeError                     a Python value does not fit its schema: the caller's fault
├── WorkflowError                   a workflow is defined or used wrongly
│   ├── ContractError               a contracts folder is wrong
│   ├── MissingContributionError    the envelope lacks the contribution that a view reads
│   ├── HandlerError                a handler returned what its step does not declare
│   └── NoTransactionError          a handler wants a transaction where there is no store
├── UsedIdError                     another run has this id: the fault of who starts this one
├── UsedEventIdError                another event has the id of a first event: one of the two is forged
├── DeliveryError                   a message could not be handed to its transport
│   ├── UnroutableError             no queue takes it: it would be lost without a trace
│   ├── RejectedError               the broker does not take it now: a queue is full, or not ready yet
│   └── UnsentError                 it is stored, and has still to be sent
├── StoreError                      a database that cannot be used
│   ├── NoStoreError                it has no tables of ours: no worker has been there
│   └── StoreUnreachableError       it does not answer now
└── InputError                      a line, file or argument given by a person cannot be used
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any, Final, Self

__all__ = [
    "ContractError",
    "DecodeError",
    "DeliveryError",
    "EncodeError",
    "HandlerError",
    "InputError",
    "LimitError",
    "MissingContributionError",
    "NoStoreError",
    "NoTransactionError",
    "RejectedError",
    "ResolutionError",
    "SchemaError",
    "StampError",
    "StoreError",
    "StoreUnreachableError",
    "UnknownSchemaError",
    "UnresolvedError",
    "UnroutableError",
    "UnsentError",
    "UsedEventIdError",
    "UsedIdError",
    "WireError",
    "WorkflowError",
]


PERMISSIONS: Final = 'allow this user what docs/security.md states under "Permissions"'
"""What to do when a broker or a database refuses a user."""


class StampError(Exception):
    """Something that stamp refuses, with the place where it was found.

    `message` says what was expected, what came and what to do. `path` is a `step.field` or `Model.field` path, `offset` counts
    bytes from the start of what was decoded, `file` and `line` point into a file.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        offset: int | None = None,
        file: str | PathLike[str] | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.file = None if file is None else fspath(file)
        self.line = line

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        where = ": ".join(part for part in (place, self.path) if part)
        text = f"{where}: {self.message}" if where else self.message
        return text if self.offset is None else f"{text} (at byte {self.offset})"

    def within(self, path: str, *, offset: int = 0) -> Self:
        """Return this error as seen from outside: `path` goes before its path, `offset` is added to its offset."""
        inner = self.path or ""
        joined = path + ("" if not path or not inner or inner.startswith("[") else ".") + inner
        at = None if self.offset is None else self.offset + offset
        return type(self)(self.message, path=joined or None, offset=at, file=self.file, line=self.line)


class SchemaError(StampError):
    """A schema, or a model that should become one, is not acceptable."""


class UnknownSchemaError(SchemaError):
    """A contribution names a writer schema that the catalog does not have: `schema_id`, 16 bytes, where that is known."""

    schema_id: bytes = b""

    def within(self, path: str, *, offset: int = 0) -> Self:
        """Return this error as seen from outside."""
        outer = super().within(path, offset=offset)
        outer.schema_id = self.schema_id
        return outer


class ResolutionError(SchemaError):
    """A reader schema cannot read data of this writer schema (Avro 1.12, "Schema Resolution")."""


class WireError(StampError):
    """Bytes that are not a well-formed envelope."""


class DecodeError(WireError):
    """Bytes that are not a well-formed datum of their schema."""


class LimitError(WireError):
    """Bytes that pass a limit on size, number or depth."""


class EncodeError(StampError):
    """A value that cannot be written with its schema."""


class WorkflowError(StampError):
    """A workflow that is not defined, or not used, as it must be."""


class ContractError(WorkflowError):
    """A contracts folder that cannot be read, or that contradicts itself."""


class UnresolvedError(WorkflowError):
    """Something that a step refers to and nobody provides so far: `missing` says in a few words what."""

    missing: str = ""


class MissingContributionError(WorkflowError):
    """A view of a step that has not contributed to this envelope."""


class HandlerError(WorkflowError):
    """A handler gave back something that its step does not declare."""


class NoTransactionError(WorkflowError):
    """A handler asked for the transaction of its work, and its step runs without a store."""


class UsedIdError(StampError):
    """A first event whose run has begun with other content: an id is used once.

    `workflow_ids` are those that are used, when it is about several.
    """

    def __init__(self, message: str, *, workflow_ids: Sequence[str] = (), **place: Any) -> None:
        super().__init__(message, **place)
        self.workflow_ids: Final = tuple(workflow_ids)


class UsedEventIdError(StampError):
    """An event whose id an event that says something else has: whoever listens has taken that one."""


class DeliveryError(StampError):
    """A message that could not be handed to its transport: whoever sent it still has it."""


class UnroutableError(DeliveryError):
    """A message that no queue takes; a transport of its own accord would drop it silently."""


class RejectedError(DeliveryError):
    """A message that the broker does not take now and may take later: a queue is full, or its replicas are not there yet."""


class UnsentError(DeliveryError):
    """Messages that are stored and have still to be sent: a worker that shares the store does that, or whoever publishes them again."""


class StoreError(StampError):
    """A database that cannot be used; what was not committed has not happened."""


class NoStoreError(StoreError):
    """A database, or the place for one, that no worker has used yet, where there should be one that is in use."""


class StoreUnreachableError(StoreError):
    """A database that does not answer, or cannot go on, now: it may do so later."""


class InputError(StampError):
    """Input from a person that cannot be used: a line of a file, a document, an argument."""
