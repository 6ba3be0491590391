"""What the brokers without a server have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.removal import consumed, filled
from stamp.runtime.transports.virtual.access import NONE, Access, translated
from stamp.runtime.transports.virtual.directory import VirtualDirectory
from stamp.runtime.transports.virtual.graveyard import VirtualGraveyard
from stamp.runtime.transports.virtual.place import Place
from stamp.runtime.transports.virtual.receiver import VirtualReceiver
from stamp.runtime.transports.virtual.sender import VirtualSender
from stamp.url import Secrets

__all__ = ["Virtual"]


class Virtual(ABC):
    """A transport whose queues are in a place of its own.

    An address that was never of use may be a mistake that no waiting mends: an InputError then. Once it was of use, it is none any more.
    """

    failures: tuple[type[Exception], ...] = ()
    """What may be raised when the place is opened."""

    def __init__(self, address: str, secrets: Secrets = NONE) -> None:
        self._was_of_use = False
        self._address = address
        self._secrets = secrets

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return self._address

    @property
    @abstractmethod
    def promises(self) -> Promises:
        """What it promises."""

    @abstractmethod
    def _open(self) -> Place:
        """Return one more way to the place; it may raise `failures`."""

    def _is_mistake(self, _error: Exception) -> bool:
        """Tell whether one of `failures`, raised when the place was to be opened for the first time, comes again however long one waits."""
        return False

    def sender(self, topology: Topology) -> VirtualSender:
        """Open it to publish.

        Raises:
            DeliveryError: it cannot be used. InputError: it never can.
        """
        return VirtualSender(self._access([queue.name for queue in topology.queues]), topology)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> VirtualReceiver:
        """Open it to consume `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return VirtualReceiver(
            self._access([queue.name for queue in topology.queues]),
            queues,
            prefetch=prefetch,
            prefetch_bytes=prefetch_bytes,
        )

    def graveyard(self, queues: Sequence[str]) -> VirtualGraveyard:
        """Open the dead letter queues of `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return VirtualGraveyard(self._access([]), self._address, queues)

    def directory(self, workflow: str) -> VirtualDirectory:
        """Open the directory of `workflow`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return VirtualDirectory(self._access([]), workflow)

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete a queue, and return how many messages went with it. Who still consumes it without holding a message notices soon.

        Raises:
            DeliveryError: as for `sender`, or there are messages in it that may not go.
        """
        access = self._access([])
        try:
            with access.use() as place:
                contents = place.remove(queue, discard=discard)
        finally:
            access.close()
        if not contents.may_go(discard=discard):
            raise consumed(topology, queue) if contents.held else filled(topology, queue, contents.waiting)
        return contents.waiting

    def _access(self, queues: Sequence[str]) -> Access:
        is_mistake = _never if self._was_of_use else self._is_mistake
        with translated(self._address, self._secrets, self.failures, is_mistake):
            place = self._open()
            try:
                place.create(queues)
            except BaseException:
                place.close()
                raise
        self._was_of_use = True
        return Access(place, self._address, self._secrets)


def _never(_error: Exception) -> bool:
    return False
