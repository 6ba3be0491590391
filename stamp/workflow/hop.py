"""One hop: bytes in, the handler, bytes out. No transport, no store, no clock of its own.

Data flows one way: bytes -> index -> the declared views -> handler -> its record -> bytes. What the step does not read is carried
along as it came, byte for byte.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from stamp.envelope import wire
from stamp.envelope.contribution import Outcome, assemble, event_id
from stamp.envelope.envelope import FAILURE_ID
from stamp.envelope.failure import Failure
from stamp.envelope.limits import Limits
from stamp.errors import HandlerError, MissingContributionError, WorkflowError
from stamp.schema.catalog import Catalog
from stamp.schema.varint import sized
from stamp.workflow.context import StepContext
from stamp.workflow.fail import Fail
from stamp.workflow.outgoing import Outgoing, headers
from stamp.workflow.step import Emission, Read, Step

MAX_TEXT: Final = 1_000
MAX_DETAILS: Final = 20
"""How much of a failure is kept: it travels in every later event."""

__all__ = ["Work", "publish", "receive"]


class Work(NamedTuple):
    """A message that a step has taken: what its handler is called with, and what its answer will be appended to."""

    header: wire.Header
    body: bytes
    event_id: bytes
    causes: list[bytes]
    received_at: int
    arguments: dict[str, Any]


def receive(
    step: Step, body: bytes, *, workflow: str, catalog: Catalog, limits: Limits, received_at: int, attempt: int
) -> Work:
    """Return the work that `body` is for `step`: its views decoded, the rest untouched.

    Raises:
        WireError: the body is not a well-formed envelope.
        WorkflowError: the body is not for this step.
        MissingContributionError: a view that must be there is not.
        UnknownSchemaError, ResolutionError, DecodeError: a view cannot be read, see `View.read`.
    """
    header, at = wire.read_header(body, limits)
    index = wire.index(body, at, limits)
    if index is None:
        body = wire.canonical(body, at, limits)
        index = wire.index(body, at, limits)
        assert index is not None
    if header.workflow != workflow:
        raise WorkflowError(f"expected an envelope of the workflow {workflow!r}, got one of {header.workflow!r}")
    if not index.begins:
        raise WorkflowError(f"expected an event for the step {step.name!r}, got an envelope without any", path=workflow)
    trigger = index.opening(body, len(index.begins) - 1)
    event = trigger.event.decode()
    if event not in step.on:
        raise WorkflowError(f"the step {step.name!r} listens to {' and '.join(step.on)}, got {event!r}", path=workflow)
    causes = [trigger.event_id]
    result_id = event_id(header.workflow, header.workflow_id, step.name, causes)
    arguments = {read.parameter: _view(read, body, index, header=header, catalog=catalog) for read in step.reads}
    if step.context is not None:
        arguments[step.context] = StepContext(
            header=header,
            step=step.name,
            event=event,
            event_id=result_id,
            causes=tuple(causes),
            received_at=received_at,
            attempt=attempt,
            body=body,
            catalog=catalog,
            limits=limits,
        )
    return Work(header, body, result_id, causes, received_at, arguments)


def _view(read: Read, body: bytes, index: wire.Index, *, header: wire.Header, catalog: Catalog) -> Any:
    number = index.latest(body, read.key)
    while number is not None:
        opening = index.opening(body, number)
        if (opening.schema_id == FAILURE_ID) is read.is_failure:
            return read.view.read(opening.schema_id, opening.payload, catalog, workflow=header.workflow, step=read.step)
        number = index.latest(body, read.key, number)
    if read.optional:
        return None
    raise MissingContributionError(
        f"expected a contribution of {read.step!r} in {header.workflow} {header.workflow_id}, and there is none: "
        f"annotate the parameter `{read.parameter}` as `{read.view.model.__name__} | None` if that may be so",
        path=read.step,
    )


def publish(step: Step, work: Work, result: object, *, completed_at: int, limits: Limits) -> list[Outgoing]:
    """Return what is to be published for what the handler returned, or for the `Fail` that it raised.

    Raises:
        HandlerError: the handler returned something that the step does not declare.
        EncodeError: what it returned does not fit its schema.
        LimitError: the envelope would become too large.
    """
    if result is None and step.returns_none:
        return []
    if isinstance(result, Fail):
        return _events(step, work, step.failure, _failure(result), completed_at=completed_at, limits=limits)
    if not isinstance(result, BaseModel) or (found := step.emissions.get(type(result))) is None:
        wanted = " or ".join(model.__name__ for model in step.emissions) or "None"
        raise HandlerError(f"{step.name} must return {wanted}, got {result!r}", path=step.name, **step.place)
    return _events(step, work, found, result, completed_at=completed_at, limits=limits)


def _events(
    step: Step, work: Work, emission: Emission, written: BaseModel, *, completed_at: int, limits: Limits
) -> list[Outgoing]:
    payload = emission.binding.encode(written)
    outcome, attributes = Outcome.COMPLETED, None
    if isinstance(written, Failure):
        outcome, attributes = Outcome.FAILED, {"error.type": written.type, "error.message": written.message}
    outgoing = []
    for number, event in enumerate(emission.events):
        header, causes, id_ = work.header, work.causes, work.event_id
        if number:
            id_ = event_id(header.workflow, header.workflow_id, step.name, causes, event=event)
        item = assemble(
            emission.opening,
            payload,
            sized(event.encode()) + id_,
            causes,
            times=(work.received_at, completed_at),
            outcome=outcome,
            attributes=attributes,
        )
        described = headers(header, step.name, event, event_id=id_, causes=causes, completed_at=completed_at)
        outgoing.append(Outgoing(event, wire.append(work.body, item, limits), described))
    return outgoing


def _failure(error: Fail) -> Failure:
    kept = {name: str(text)[:MAX_TEXT] for name, text in list(error.detail.items())[:MAX_DETAILS]}
    return Failure(type=type(error).__name__, message=error.message[:MAX_TEXT], detail=kept)
