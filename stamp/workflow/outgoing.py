"""What a step wants published, and the headers that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stamp.envelope.content import TRACE_CONTEXT
from stamp.envelope.wire import Header
from stamp.schema.values import local

__all__ = ["Outgoing", "headers", "source"]


class Outgoing(NamedTuple):
    """One event to publish: its name, which is the routing key, the body and the headers of the message."""

    event: str
    body: bytes
    headers: Mapping[str, str]


def headers(
    header: Header, step: str, event: str, *, event_id: bytes, causes: Sequence[bytes], completed_at: int
) -> dict[str, str]:
    """Return the CloudEvents 1.0 attributes of an event (binary mode), and the trace context that its workflow began with.

    The history is in the body: nothing here grows from step to step. `completed_at` is in microseconds since 1970 UTC.
    """
    workflow, workflow_id, _, attributes = header
    fields = {
        "ce-specversion": "1.0",
        "ce-id": event_id.hex(),
        "ce-type": event,
        "ce-source": f"/{workflow}/{step}",
        "ce-subject": workflow_id,
        "ce-time": f"{local(completed_at).isoformat()}+00:00",
        "ce-correlationid": workflow_id,
    }
    if causes:
        fields["ce-causationid"] = causes[0].hex()
    if attributes:
        fields.update((name, attributes[name]) for name in TRACE_CONTEXT if name in attributes)
    return fields


def source(headers: Mapping[str, str]) -> str:
    """Return the step that published the event with these headers; empty if they do not say."""
    return headers.get("ce-source", "").rpartition("/")[2]
