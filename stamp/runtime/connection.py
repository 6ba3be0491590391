"""Connections on which an event reaches each of its listeners, once, and nothing but envelopes is read."""

from __future__ import annotations

from functools import cache
from typing import Any

from kombu import connection
from kombu.transport import virtual

from stamp.runtime.exchange import CopyingTopicExchange, SafeChannel
from stamp.runtime.message import EnvelopeMessage

__all__ = ["Connection"]


class Connection(connection.Connection):
    """A kombu connection whose virtual transports route safely; others, RabbitMQ's, are left as they are.

    The choice is made where kombu asks for the transport: so it holds for every channel, after a reconnect, a switch to another
    host, and in clones and pools, and no other connection of the process is touched.
    """

    def get_transport_cls(self) -> Any:
        """Return the class of the transport."""
        transport = super().get_transport_cls()
        return _safe(transport) if issubclass(transport, virtual.Transport) else transport


@cache
def _safe(transport: type[virtual.Transport]) -> type[virtual.Transport]:
    """Return `transport` with safe channels; always the same class for the same transport."""
    channel = transport.Channel
    parts = {
        "Message": type("Message", (EnvelopeMessage, channel.Message), {}),
        "exchange_types": {**channel.exchange_types, "topic": CopyingTopicExchange},
    }
    return type("Transport", (transport,), {"Channel": type("Channel", (SafeChannel, channel), parts)})
