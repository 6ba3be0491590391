"""A broker that is counted: how much was sent, and how much again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Directory, Parcel, Promises, Receiver, Sender, Transport

__all__ = ["Counted"]

Note = Callable[[int, int], None]
"""Takes how many parcels were handed over, and how many of them had been sent before."""


class Counted:
    """Does what `broker` does, and says what goes out to `note`."""

    def __init__(self, broker: Transport, note: Note) -> None:
        self._broker, self._note = broker, note

    @property
    def promises(self) -> Promises:
        return self._broker.promises

    @property
    def address(self) -> str:
        return self._broker.address

    def sender(self, topology: Topology) -> Sender:
        return CountedSender(self._broker.sender(topology), self._note)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> Receiver:
        return self._broker.receiver(topology, queues, prefetch=prefetch, prefetch_bytes=prefetch_bytes)

    def directory(self, workflow: str) -> Directory:
        return self._broker.directory(workflow)

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        return self._broker.remove(topology, queue, discard=discard)


class CountedSender:
    """Sends by `sender`."""

    def __init__(self, sender: Sender, note: Note) -> None:
        self._sender, self._note = sender, note

    def post(self, parcels: Sequence[Parcel]) -> None:
        self._note(len(parcels), sum(each.again for each in parcels))
        self._sender.post(parcels)

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        return self._sender.confirm(timeout)

    def close(self) -> None:
        self._sender.close()
