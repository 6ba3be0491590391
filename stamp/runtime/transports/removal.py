"""Why a queue is not removed."""

from __future__ import annotations

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology

__all__ = ["consumed", "filled"]


def consumed(topology: Topology, queue: str) -> DeliveryError:
    """Return the refusal to remove a queue that somebody consumes."""
    return DeliveryError(
        f"queue {queue!r} of {topology.exchange!r} is still consumed: end its worker first, or wait until a dead one is given up"
    )


def filled(topology: Topology, queue: str, waiting: int) -> DeliveryError:
    """Return the refusal to remove a queue in which messages wait."""
    return DeliveryError(
        f"messages wait in queue {queue!r} of {topology.exchange!r}: {waiting}; have them consumed, or discard them with it"
    )
