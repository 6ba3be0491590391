"""What a handler can learn about the message that it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stamp.envelope.envelope import Envelope
from stamp.envelope.limits import Limits
from stamp.envelope.wire import Header
from stamp.errors import NoTransactionError, WireError
from stamp.schema.catalog import Catalog

__all__ = ["StepContext", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """The circumstances of one call of a handler: a parameter with this annotation gets it.

    `event` is the event that arrived and `causes` its id. `event_id` is the id of this work, and of the event that it will publish
    (of several events each has its own). It is the same when the work is done again, so it is the idempotency key for calls to the
    outside. `received_at` is in microseconds since 1970 UTC; `attempt` counts from 1.
    """

    header: Header
    step: str
    event: str
    event_id: bytes
    causes: tuple[bytes, ...]
    received_at: int
    attempt: int
    body: bytes
    catalog: Catalog
    limits: Limits
    begin: Callable[[], Any] | None = None

    @property
    def transaction(self) -> Any:
        """The transaction in which this work is recorded, for the handler's own SQL: an SQLAlchemy `Connection` of the worker's store.

        What is written with it is committed together with the answer, once; it is rolled back when the handler raises, `Fail` too.
        The handler neither commits nor closes it. It begins when it is first asked for; on SQLite nobody else writes from then on, so
        ask late and be quick. An `async def` handler awaits nothing from then on: others on its loop could wait for what it has locked.

        Raises:
            NoTransactionError: the step runs without a store.
        """
        if self.begin is None:
            text = "expected a store, whose transaction the handler wants, got none: run the step with one (`stamp run --store URL`)"
            raise NoTransactionError(text, path=self.step)
        return self.begin()

    @property
    def workflow(self) -> str:
        """The name of the workflow."""
        return self.header.workflow

    @property
    def workflow_id(self) -> str:
        """Which run of the workflow this is."""
        return self.header.workflow_id

    @property
    def attributes(self) -> Mapping[str, str]:
        """What was said about the run at its start."""
        return self.header.attributes

    @property
    def deadline(self) -> datetime | None:
        """When the run should be over: its attribute `deadline`, in ISO 8601; None when it has none.

        Raises:
            WireError: the attribute is no time with an offset from UTC.
        """
        try:
            return deadline(self.attributes)
        except ValueError as error:
            raise WireError(str(error), path="attributes.deadline") from None

    @property
    def envelope(self) -> Envelope:
        """The envelope that arrived, with what the step did not declare too: for audits and exports, not for business rules."""
        return Envelope.from_bytes(self.body, catalog=self.catalog, limits=self.limits)


def deadline(attributes: Mapping[str, str]) -> datetime | None:
    """Return when a run with these attributes should be over; a ValueError says what is wrong with its `deadline`."""
    text = attributes.get("deadline")
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ValueError(
            f"expected an ISO 8601 time with its offset from UTC, such as 2026-12-31T17:00:00Z, got {text!r}"
        )
    return time
