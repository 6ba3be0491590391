"""The first event of a run: the header that every later event carries, and what the starting step wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel

from stamp.envelope import wire
from stamp.envelope.content import TRACE_CONTEXT
from stamp.envelope.contribution import assemble, event_id, identify
from stamp.envelope.limits import Limits
from stamp.errors import EncodeError
from stamp.schema.varint import sized
from stamp.workflow.context import deadline
from stamp.workflow.outgoing import Outgoing, headers
from stamp.workflow.step import Step

__all__ = ["Start", "first_event", "header", "start"]


def header(workflow: str, workflow_id: str, started_at: int, attributes: Mapping[str, str]) -> wire.Header:
    """Return the header of a run that starts at `started_at`, in microseconds since 1970 UTC.

    Raises:
        EncodeError: the id or an attribute is not text that can be written, the id is empty, or the deadline is no time.
    """
    _check_text(workflow_id, "workflow_id")
    if not workflow_id:
        raise EncodeError("expected the id of one run, got an empty text", path="workflow_id")
    for name, text in attributes.items():
        _check_text(name, "attributes")
        _check_text(text, f"attributes.{name}")
    try:
        deadline(attributes)
    except ValueError as error:
        raise EncodeError(str(error), path="attributes.deadline") from None
    return wire.Header(workflow, workflow_id, started_at, dict(attributes))


def _check_text(value: object, path: str) -> None:
    if not isinstance(value, str):
        raise EncodeError(f"expected text, got {value!r} of type {type(value).__name__}", path=path)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EncodeError(
            f"expected text that UTF-8 can hold, got half of a surrogate pair in {value!a}", path=path
        ) from None


def first_event(step: Step, first: BaseModel, begun: wire.Header, limits: Limits) -> Outgoing:
    """Return the event with which the run of the header `begun` starts.

    Raises:
        EncodeError: the model's values do not fit its schema.
        LimitError: the envelope would be too large.
    """
    emission, now = step.emissions[type(first)], begun.started_at
    ((event, key),) = emission.events
    id_ = event_id(begun.workflow, begun.workflow_id, step.name, ())
    item = assemble(emission.opening, emission.binding.encode(first), key + id_, (), times=(now, now))
    body = wire.append(wire.begin(begun), item, limits)
    return Outgoing(event, body, headers(begun, step.name, event, event_id=id_, causes=(), completed_at=now))


class Start(NamedTuple):
    """Which run begins, as a key of 16 bytes, and with what, as a digest of as many.

    The content is the starting step, its event, what it wrote and the attributes of the run. Times and the trace context are no part of
    it: a start that is tried again is the same one.
    """

    run: bytes
    content: bytes


def start(body: bytes, limits: Limits) -> Start | None:
    """Return which run an envelope begins, and with what; None if it is a later event.

    Raises:
        WireError: the body is no envelope.
        LimitError: it passes the limits.
    """
    first = wire.read_first(body, limits)
    if first is None:
        return None
    begun, written = first
    names = sorted(begun.attributes.keys() - TRACE_CONTEXT)
    attributes = [sized(text.encode()) for name in names for text in (name, begun.attributes[name])]
    run = identify(sized(begun.workflow.encode()), sized(begun.workflow_id.encode()))
    return Start(run, identify(sized(written), *attributes))
