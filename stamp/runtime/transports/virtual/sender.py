"""Puts messages into queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.admission import refusal
from stamp.runtime.transports.virtual.access import Access
from stamp.runtime.transports.virtual.content import Content

__all__ = ["LARGEST", "VirtualSender"]

LARGEST: Final = 16 * 2**20
"""Bytes of a body: as many as others take."""


class VirtualSender:
    """Puts messages into queues: all that were posted at once, when it has to say what became of them."""

    def __init__(self, access: Access, topology: Topology) -> None:
        self._access = access
        self._topology = topology
        self._posted: list[Parcel] = []

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Take messages, to be put into their queues together. One for no queue goes nowhere: nobody can have asked for it.

        Raises:
            DeliveryError: the place has failed, or was closed.
        """
        with self._access.use():
            self._posted += parcels

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Put what was posted into the queues, and say what became of it. How long that may take is up to the place.

        Raises:
            DeliveryError: the place failed.
        """
        posted, self._posted = self._posted, []
        refusals = [refusal(parcel, self._topology, LARGEST) for parcel in posted]
        entries = [
            (queue, Content.of(parcel.message))
            for parcel, refused in zip(posted, refusals, strict=True)
            for queue in (parcel.queues if refused is None else ())
        ]
        with self._access.use() as place:
            taken = place.put(entries) if entries else ()
        missing = {queue for (queue, _), is_there in zip(entries, taken, strict=True) if not is_there}
        return [refused or _verdict(parcel, missing) for parcel, refused in zip(posted, refusals, strict=True)]

    def close(self) -> None:
        """Let go of the place."""
        self._access.close()


def _verdict(parcel: Parcel, missing: set[str]) -> DeliveryError | None:
    gone = [queue for queue in parcel.queues if queue in missing]
    return UnroutableError(f"there is no queue {', '.join(gone)}; connect again to declare it") if gone else None
