"""An envelope as a message: what is written on the outside, and the refusal of everything that is something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kombu.messaging import Producer
from kombu.transport import virtual

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING, refusal

__all__ = ["CONTENT_ENCODING", "EnvelopeMessage", "Publishable", "publish", "refusal"]


class Publishable(Protocol):
    """What a step gives away: an event, its envelope, and small headers for routing and tracing."""

    @property
    def event(self) -> str:
        """Its name, which is the routing key."""

    @property
    def body(self) -> bytes:
        """The bytes of the envelope."""

    @property
    def headers(self) -> Mapping[str, str]:
        """CloudEvents and W3C trace context."""


def publish(producer: Producer, outgoing: Publishable) -> None:
    """Publish `outgoing` to the exchange of `producer`.

    The event is the routing key and the AMQP property `type`: that one is still there when a message has come by its queue's name.
    """
    producer.publish(
        outgoing.body,
        routing_key=outgoing.event,
        headers=dict(outgoing.headers),
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        type=outgoing.event,
    )


class EnvelopeMessage(virtual.Message):
    """A received message whose body is left as it came; mixed into the message class of a virtual channel.

    kombu decompresses whatever the header `compression` names, without limit, and before a consumer's `accept` is looked at; and
    a consumer with `on_message` never looks at `accept`. With a refusal among its `errors` nothing of a message is unpacked and
    a consumer hands it to `on_decode_error`.
    """

    def __init__(self, payload: dict[str, Any], channel: Any = None, **options: Any) -> None:
        reason = refusal(payload.get("content-type"), payload.get("content-encoding"), payload.get("headers") or {})
        if reason is not None:
            self.errors = [(type(reason), reason, None)]  # type: ignore[list-item] # not raised yet: no traceback
        super().__init__(payload, channel, **options)
