"""One hop: bytes in, the handler, bytes out. No transport, no store, no clock of its own.

Data flows one way: bytes -> index -> the declared views -> handler -> its record -> bytes. What the step does not read is carried
along as it came, byte for byte.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from stamp.envelope import wire
from stamp.envelope.contribution import Outcome, assemble, event_id, identify
from stamp.envelope.envelope import FAILURE_ID
from stamp.envelope.failure import Failure
from stamp.envelope.limits import Limits
from stamp.errors import HandlerError, LimitError, MissingContributionError, WorkflowError
from stamp.schema.catalog import Catalog
from stamp.schema.varint import sized
from stamp.workflow.context import StepContext
from stamp.workflow.fail import Fail, withheld
from stamp.workflow.outgoing import Outgoing, headers
from stamp.workflow.step import Emission, Read, Step

MAX_DETAILS: Final = 20
ROOM: Final = 24_000
"""How much of a failure is kept, in details and in bytes: it travels in every later event."""

TEXTS: Final = (ROOM, 8_000, 4_000, 2_000, 1_000, 200, 50)
"""How many characters a text of a failure may have: as many as there is room for."""

__all__ = ["Terms", "Work", "give_up", "publish", "receive"]


class Work(NamedTuple):
    """A message that a step has taken: what its handler is called with, and what its answer will be appended to."""

    header: wire.Header
    body: bytes
    event_id: bytes
    causes: tuple[bytes, ...]
    received_at: int
    arguments: dict[str, Any]


class Terms:
    """What holds for every hop of a workflow. `key` is its encoded name."""

    __slots__ = ("catalog", "key", "limits", "workflow")

    def __init__(self, workflow: str, catalog: Catalog, limits: Limits) -> None:
        self.workflow, self.catalog, self.limits = workflow, catalog, limits
        self.key: Final = sized(workflow.encode())


def receive(
    step: Step,
    body: bytes,
    terms: Terms,
    *,
    received_at: int,
    attempt: int,
    begin: Callable[[], Any] | None = None,
) -> Work:
    """Return the work that `body` is for `step`: its views decoded, the rest untouched.

    `begin` gives the transaction of the work to a handler that asks for it.

    Raises:
        WireError: the body is not a well-formed envelope.
        LimitError: it passes the limits, or would with one contribution more.
        WorkflowError: the body is not for this step.
        MissingContributionError: a view that must be there is not.
        UnknownSchemaError, ResolutionError, DecodeError: a view cannot be read, see `View.read`.
    """
    header, body, spans, event, cause = _opened(step, body, terms)
    result_id = identify(terms.key, sized(header.workflow_id.encode()), step.key, sized(cause))
    arguments: dict[str, Any] = {}
    for read in step.reads:
        arguments[read.parameter] = _view(read, body, spans, terms)
    if step.context is not None:
        arguments[step.context] = StepContext(
            header=header,
            step=step.name,
            event=event,
            event_id=result_id,
            causes=(cause,),
            received_at=received_at,
            attempt=attempt,
            body=body,
            catalog=terms.catalog,
            limits=terms.limits,
            begin=begin,
        )
    return Work(header, body, result_id, (cause,), received_at, arguments)


def _opened(step: Step, body: bytes, terms: Terms) -> tuple[wire.Header, bytes, list[wire.Span], str, bytes]:
    """Return the header of an event for `step`, its body in our form, where what the step reads lies, its name and its id."""
    header, at = wire.read_header(body, terms.limits)
    index = wire.index(body, at, terms.limits, steps=step.reads_of)
    if index is None:
        body = wire.canonical(body, at, terms.limits)
        index = wire.index(body, at, terms.limits, steps=step.reads_of)
        assert index is not None
    if header.workflow != terms.workflow:
        raise WorkflowError(f"expected an envelope of the workflow {terms.workflow!r}, got one of {header.workflow!r}")
    if index.last is None:
        raise WorkflowError(
            f"expected an event for the step {step.name!r}, got an envelope without any", path=terms.workflow
        )
    event, cause = wire.read_event(body, index.last)
    if event not in step.on:
        raise WorkflowError(
            f"the step {step.name!r} listens to {' and '.join(step.on)}, got {event!r}", path=terms.workflow
        )
    if index.total >= terms.limits.contributions and step.emissions:
        raise LimitError(
            f"expected room for what the step writes, got {index.total} contributions already: "
            "if runs may be that long, give the workflow larger `limits`",
            path=step.name,
        )
    return header, body, index.spans, event, cause


def give_up(
    step: Step,
    body: bytes,
    error: BaseException,
    terms: Terms,
    *,
    received_at: int,
    completed_at: int,
    expose_errors: bool = True,
) -> list[Outgoing]:
    """Return the failure event of work that no attempt could do. Without `expose_errors` it does not tell the text of `error`.

    Its id is not that of the work: when somebody has mended what was wrong, the work may still succeed.

    Raises:
        WireError, LimitError, WorkflowError: there is no event to answer, see `receive`.
    """
    header, body, _, _, cause = _opened(step, body, terms)
    id_ = event_id(header.workflow, header.workflow_id, step.name, (cause,), event=f"{step.fails}!")
    work = Work(header, body, id_, (cause,), received_at, {})
    said = partial(_failure if expose_errors else _withheld, error, work)
    return _failed(step, work, said, completed_at=completed_at, limits=terms.limits)


def _view(read: Read, body: bytes, spans: list[wire.Span], terms: Terms) -> BaseModel | None:
    """Return the view of the latest contribution that it is for: of a failure, or of anything else."""
    key = read.key
    for span in reversed(spans):
        if body.startswith(key, span[0]):
            schema_id, payload = wire.read_payload(body, span, key)
            if (schema_id == FAILURE_ID) is read.is_failure:
                return read.view.read(schema_id, payload, terms.catalog, workflow=terms.workflow, step=read.step)
    if read.optional:
        return None
    wanted = "a failure" if read.is_failure else "a completed contribution"
    raise MissingContributionError(
        f"expected {wanted} of the step {read.step!r} in the envelope, got none: "
        f"annotate the parameter `{read.parameter}` as `{read.view.model.__name__} | None` if that may be so",
        path=read.step,
    )


def publish(
    step: Step, work: Work, result: object, *, completed_at: int, limits: Limits, expose_errors: bool = True
) -> list[Outgoing]:
    """Return what is to be published for what the handler returned, or for the `Fail` that it raised.

    Without `expose_errors` the failure event does not tell the text of a `Fail`.

    Raises:
        HandlerError: the handler returned something that the step does not declare.
        EncodeError: what it returned does not fit its schema.
        LimitError: the envelope would become too large.
    """
    emission = step.emissions.get(type(result))  # type: ignore[arg-type]  # isinstance of a model takes a microsecond
    if emission is not None:
        return _events(step, work, emission, result, completed_at=completed_at, limits=limits)
    if isinstance(result, Fail):
        said = partial(_failure if expose_errors else _withheld, result, work)
        return _failed(step, work, said, completed_at=completed_at, limits=limits)
    if result is None and step.returns_none:
        return []
    wanted = [model.__name__ for model in step.emissions] + ["None"] * (step.returns_none or not step.emissions)
    raise HandlerError(
        f"expected the handler to return {' or '.join(wanted)}, got {reprlib.repr(result)} of type {type(result).__name__}",
        path=step.name,
        **step.place,
    )


def _events(
    step: Step, work: Work, emission: Emission, written: Any, *, completed_at: int, limits: Limits
) -> list[Outgoing]:
    header, body, id_, causes, received_at, _ = work
    payload, times = emission.binding.encode(written), (received_at, completed_at)
    outcome, attributes = Outcome.COMPLETED, None
    if emission is step.failure:
        outcome, attributes = Outcome.FAILED, {"error.type": written.type, "error.message": written.message}
    outgoing: list[Outgoing] = []
    for event, key in emission.events:
        if len(emission.events) > 1:
            id_ = event_id(header.workflow, header.workflow_id, step.name, causes, event=event)
        item = assemble(
            emission.opening, payload, key + id_, causes, times=times, outcome=outcome, attributes=attributes
        )
        described = headers(header, step.name, event, event_id=id_, causes=causes, completed_at=completed_at)
        outgoing.append(Outgoing(event, wire.append(body, item, limits), described))
    return outgoing


def _failed(
    step: Step, work: Work, said: Callable[[int], Failure], *, completed_at: int, limits: Limits
) -> list[Outgoing]:
    """Return the failure event of a step; the texts of what is `said` are cut no more than they must be for the room that there is."""
    for longest in TEXTS:
        failure = said(longest)
        is_last = longest == TEXTS[-1]
        if _size(failure) > ROOM and not is_last:
            continue
        try:
            return _events(step, work, step.failure, failure, completed_at=completed_at, limits=limits)
        except LimitError:
            if is_last:
                raise
    raise AssertionError("the last of the texts returns or raises")


def _withheld(error: BaseException, work: Work, _longest: int) -> Failure:
    """Return what is said of an error whose text stays where it arose: its type, and what finds the text."""
    [cause] = work.causes
    return Failure(type=type(error).__name__, message=withheld(cause), detail={"event_id": cause.hex()})


def _failure(error: BaseException, _work: Work, longest: int) -> Failure:
    said = error if isinstance(error, Fail) else Fail(error)
    kept = {name[:longest]: _short(text, longest) for name, text in list(said.detail.items())[:MAX_DETAILS]}
    return Failure(type=type(error).__name__, message=_short(said.message, longest), detail=kept)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _size(failure: Failure) -> int:
    """Return about how many bytes a failure takes; its message is written twice, as an attribute, too."""
    texts = (failure.message, failure.message, *failure.detail, *failure.detail.values())
    return sum(len(text.encode()) for text in texts)
