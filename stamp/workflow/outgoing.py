"""What a step wants published, and the headers that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stamp.envelope.wire import Header
from stamp.schema.values import instant

__all__ = ["Outgoing", "headers"]

TRACE_CONTEXT = ("traceparent", "tracestate")


class Outgoing(NamedTuple):
    """One event to publish: its name, which is the routing key, the body and the headers of the message."""

    event: str
    body: bytes
    headers: Mapping[str, str]


def headers(
    header: Header, step: str, event: str, *, event_id: bytes, causes: list[bytes], completed_at: int
) -> dict[str, str]:
    """Return the CloudEvents 1.0 attributes of an event (binary mode), and the trace context that its workflow began with.

    The history is in the body: nothing here grows from step to step. `completed_at` is in microseconds since 1970 UTC.
    """
    fields = {
        "ce-specversion": "1.0",
        "ce-id": event_id.hex(),
        "ce-type": event,
        "ce-source": f"/{header.workflow}/{step}",
        "ce-subject": header.workflow_id,
        "ce-time": instant(completed_at).isoformat(),
        "ce-correlationid": header.workflow_id,
    }
    if causes:
        fields["ce-causationid"] = causes[0].hex()
    if header.attributes:
        fields.update((name, header.attributes[name]) for name in TRACE_CONTEXT if name in header.attributes)
    return fields
