"""The envelope as a value: what services, tests and people work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from stamp.envelope import contribution, wire
from stamp.envelope.contribution import Contribution, Outcome
from stamp.envelope.failure import Failure
from stamp.envelope.format import FAILURE
from stamp.envelope.limits import LIMITS, Limits
from stamp.envelope.merging import union
from stamp.envelope.state import Provenance, Written, fold
from stamp.envelope.timeline import Moment, timeline
from stamp.errors import MissingContributionError, WireError, WorkflowError
from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId
from stamp.schema.values import EPOCH
from stamp.schema.view import view_of

__all__ = ["BUILTIN", "FAILURE_ID", "Envelope"]

M = TypeVar("M", bound=BaseModel)

BUILTIN: Final = Catalog().with_schema(FAILURE)
"""The schemas that every reader of envelopes knows."""

FIRST_MICRO: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST_MICRO: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""The times that a datetime can say."""

FAILURE_ID: Final = SchemaId.of(FAILURE)


class Envelope:
    """An immutable envelope: a header, and what the steps have contributed so far.

    Every envelope that exists is well-formed: `from_bytes` reads the frame of each contribution. Payloads are decoded when they
    are asked for, with the writer schemas of the catalog.
    """

    __slots__ = ("_body", "_canonical", "_catalog", "_contributions", "_header", "_limits", "_spans")

    def __init__(self, body: bytes, catalog: Catalog | None, limits: Limits) -> None:
        header, at = wire.read_header(body, limits)
        found, whole = wire.index(body, at, limits), body
        if found is None:
            whole = wire.canonical(body, at, limits)
            found = wire.index(whole, at, limits)
            assert found is not None
        self._header = header._replace(attributes=MappingProxyType(header.attributes))
        self._contributions = tuple(_decoded(whole, number, span) for number, span in enumerate(found.spans))
        self._body, self._canonical, self._spans, self._limits = body, whole, found.spans, limits
        self._catalog = BUILTIN if catalog is None else catalog.merged(BUILTIN)
        _check_times(header, self._contributions)

    @classmethod
    def from_bytes(cls, body: bytes, *, catalog: Catalog | None = None, limits: Limits = LIMITS) -> Envelope:
        """Return the envelope that a message body holds. `bytes()` of it gives the same bytes back.

        Raises:
            WireError: the bytes are not one well-formed envelope; LimitError when they pass `limits`.
        """
        return cls(bytes(body), catalog, limits)

    @classmethod
    def begin(
        cls,
        workflow: str,
        workflow_id: str,
        *,
        started_at: int,
        attributes: Mapping[str, str] | None = None,
        catalog: Catalog | None = None,
        limits: Limits = LIMITS,
    ) -> Envelope:
        """Return an envelope without contributions. `started_at` is in microseconds since 1970 UTC."""
        return cls(wire.begin(wire.Header(workflow, workflow_id, started_at, attributes or {})), catalog, limits)

    def __bytes__(self) -> bytes:
        return self._body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Envelope) and self._canonical == other._canonical

    def __hash__(self) -> int:
        return hash(self._canonical)

    def __repr__(self) -> str:
        steps = " > ".join(each.step for each in self.contributions)
        return f"<Envelope {self.workflow} {self.workflow_id}: {steps or 'empty'}, {len(self._body)} bytes>"

    @property
    def header(self) -> wire.Header:
        """What is said once, for the whole run."""
        return self._header

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """What the steps have added, in the order in which it was added; causes come before what they caused."""
        return self._contributions

    @property
    def workflow(self) -> str:
        """The name of the workflow."""
        return self.header.workflow

    @property
    def workflow_id(self) -> str:
        """Which run of the workflow this is."""
        return self.header.workflow_id

    @property
    def started_at(self) -> int:
        """When the run began, in microseconds since 1970 UTC."""
        return self.header.started_at

    @property
    def attributes(self) -> Mapping[str, str]:
        """What was said about the run at its start."""
        return self.header.attributes

    def append(self, contribution_: Contribution) -> Envelope:
        """Return this envelope with one contribution more.

        Raises:
            LimitError: it would be too large to be read again.
        """
        body = wire.append(self._canonical, contribution.encode(contribution_), self._limits)
        return Envelope(body, self._catalog, self._limits)

    def __getitem__(self, step: str) -> Contribution:
        """Return the latest contribution of a step.

        Raises:
            MissingContributionError: the step has not contributed.
        """
        found = next((each for each in reversed(self.contributions) if each.step == step), None)
        if found is None:
            raise self._missing(step)
        return found

    def __iter__(self) -> Iterator[Contribution]:
        return iter(self._contributions)

    def __len__(self) -> int:
        return len(self._contributions)

    def __contains__(self, step: object) -> bool:
        return any(each.step == step for each in self.contributions)

    def read(self, step: str, view: type[M]) -> M:
        """Return what a step wrote in its latest completed contribution, seen through a consumer's model.

        A view of `stamp.Failure` reads the step's latest failure instead.

        Raises:
            MissingContributionError: the step has not contributed so.
            UnknownSchemaError, ResolutionError, DecodeError: see `View.read`.
        """
        reader, failed = view_of(view), issubclass(view, Failure)
        for each in reversed(self.contributions):
            if each.step == step and (each.schema_id == FAILURE_ID) is failed:
                read: M = reader.read(each.schema_id, each.payload, self._catalog, workflow=self.workflow, step=step)
                return read
        raise self._missing(step)

    def data(self, contribution_: Contribution) -> dict[str, Any]:
        """Return what a contribution holds, as its writer wrote it: a dict of Python values.

        Raises:
            UnknownSchemaError: the catalog does not have its schema.
            DecodeError: the payload is not a datum of its schema.
        """
        entry = self._catalog.lookup(contribution_.schema_id, workflow=self.workflow, step=contribution_.step)
        try:
            data: dict[str, Any] = entry.decoder(contribution_.payload)
        except WireError as error:
            raise error.within(contribution_.step) from error.__cause__
        return data

    def version(self, contribution_: Contribution) -> int | None:
        """Return the version of the contract that a contribution was written with; None when the catalog does not say."""
        entry = self._catalog.get(contribution_.schema_id)
        return None if entry is None else entry.version(contribution_.step)

    def history(self) -> list[Written]:
        """Return every contribution with its version and its data.

        Raises:
            UnknownSchemaError, DecodeError: as `data` does.
        """
        return [Written(each, self.version(each), self.data(each)) for each in self.contributions]

    def state(self) -> dict[str, Any]:
        """Return the flat state: every field that any step wrote, with its latest value.

        Of a step that has failed and not succeeded since, `<step>.failure` says why: `{"type": ..., "message": ..., "detail": ...}`.

        Raises:
            UnknownSchemaError, DecodeError: as `data` does.
        """
        return {name: value for name, (value, _) in fold(self.history()).items()}

    def provenance(self) -> dict[str, Provenance]:
        """Return for every field of `state()` which step wrote it, with which version of its contract, and when."""
        return {name: source for name, (_, source) in fold(self.history()).items()}

    def timeline(self) -> list[Moment]:
        """Return how long each contribution was queued and worked on."""
        return timeline(self.contributions, self.started_at)

    def at(self, event: str | int) -> Envelope:
        """Return what these bytes held up to the latest `event`, or to the contribution of that index: a prefix of them.

        On a path that is the envelope as it was published then. After a merge the prefix also has what other branches did before,
        in the order of the merge.

        Raises:
            MissingContributionError: there is no such event.
        """
        body = self._canonical[: self._spans[self._number(event)][1]] + wire.END
        room = Limits(message=len(body), contributions=0, contribution=0)  # our form may be longer than a foreign one
        return Envelope(body, self._catalog, self._limits.widest(room))

    def _number(self, event: str | int) -> int:
        numbers = range(len(self.contributions))
        if isinstance(event, int):
            if -len(numbers) <= event < len(numbers):
                return numbers[event]
            raise MissingContributionError(f"expected an index below {len(numbers)}, got {event}", path=self.workflow)
        for number in reversed(numbers):
            if self.contributions[number].event == event:
                return number
        events = ", ".join(dict.fromkeys(each.event for each in self.contributions)) or "none"
        raise MissingContributionError(f"expected one of its events ({events}), got {event!r}", path=self.workflow)

    def merge(self, other: Envelope) -> Envelope:
        """Return the union of two envelopes of one run, as parallel branches leave them.

        Commutative and associative; idempotent where contributions are in causal order, as steps and `merge` leave them. If a run was
        started twice, the earlier start counts. The larger limits hold.

        Raises:
            WorkflowError: the two are not of the same run.
            LimitError: they are too large together.
        """
        mine, theirs = self.header, other.header
        if mine._replace(started_at=0) != theirs._replace(started_at=0):
            raise WorkflowError(f"expected an envelope of the same run, with the header {mine}, got {theirs}")
        limits = self._limits.widest(other._limits)
        body = wire.begin(mine._replace(started_at=min(mine.started_at, theirs.started_at)))
        for item in union([*self._items(), *other._items()]):
            body = wire.append(body, item, limits)
        return Envelope(body, self._catalog.merged(other._catalog), limits)

    def _items(self) -> Iterator[tuple[Contribution, bytes]]:
        for each, (begin, end) in zip(self.contributions, self._spans, strict=True):
            yield each, self._canonical[begin:end]

    def _missing(self, step: str) -> MissingContributionError:
        steps = ", ".join(
            f"{each.step}" + " (failed)" * (each.outcome is Outcome.FAILED) for each in self.contributions
        )
        return MissingContributionError(
            f"expected a contribution of {step!r} in {self.workflow} {self.workflow_id}, got {steps or 'none at all'}",
            path=step,
        )


def _decoded(body: bytes, number: int, span: wire.Span) -> Contribution:
    begin, end = span
    try:
        decoded, stop = contribution.decode(body, begin, len(body))
        if stop != end:
            raise WireError(f"expected a contribution of {end - begin} bytes, got one of {stop - begin}", offset=begin)
    except WireError as error:
        raise error.within(f"contributions[{number}]") from error.__cause__
    return decoded


def _check_times(header: wire.Header, contributions: tuple[Contribution, ...]) -> None:
    times = [header.started_at, *(time for each in contributions for time in (each.received_at, each.completed_at))]
    for time in times:
        if not FIRST_MICRO <= time <= LAST_MICRO:
            raise WireError(f"expected a time in the years 1 to 9999, got {time} microseconds since 1970")
