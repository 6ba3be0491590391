"""What a sender refuses on its own, before a broker is bothered."""

from __future__ import annotations

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel

__all__ = ["refusal"]


def refusal(parcel: Parcel, topology: Topology, largest: int) -> DeliveryError | None:
    """Return why `parcel` cannot be sent by a broker without topics that takes bodies of at most `largest` bytes; None if it can."""
    event, size = parcel.message.event, len(parcel.message.body)
    if parcel.queues and not parcel.again and not topology.listeners(event):
        return UnroutableError(
            f"no queue of {topology.exchange!r} takes {event!r}; give the sender a topology with its listeners"
        )
    if size > largest:
        return DeliveryError(
            f"event {event!r} has {size} bytes, and this broker takes {largest} at most; keep what is large elsewhere"
        )
    return None
