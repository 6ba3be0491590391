"""Sends to whoever listens at that moment, also to a step that was deployed after its sender had started.

Most brokers do not know who listens: a sender puts an event into the queue of each listener that it knows. So it looks into the directory of the
broker after it has sent a batch, before it says that the batch is sent. Whoever was announced by then gets the batch too; whoever is announced later
listens to what comes later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.directory import announce, restore
from stamp.runtime.listeners import Listeners
from stamp.runtime.transport import Directory, Parcel, Sender, Transport
from stamp.workflow.announcement import Announcement

__all__ = ["BrokerDirectory", "TrackingSender"]

LOG: Final = logging.getLogger("stamp.listeners")

AGAIN: Final = 5.0
"""After how many seconds a directory that could not be used is tried again, and one is read that no event depends on."""

SELDOM: Final = 60.0
"""The longest pause between tries, in seconds; each is twice as long as the one before. A try may take as long as the broker lets it."""

KEPT: Final = 16 * 2**20
"""Bytes of messages that are kept at most for listeners that may have been announced: only as long as a directory cannot be read."""


class BrokerDirectory:
    """The directory at `broker`, in which what `announcement` gives is announced, and from which `listeners` are kept up to date.

    One that cannot be used is logged, and tried again later: services go on with the listeners that they know. Belongs to one thread.
    """

    def __init__(self, broker: Transport, listeners: Listeners, announcement: Callable[[], Announcement]) -> None:
        self._broker, self._listeners, self._announcement = broker, listeners, announcement
        self._directory: Directory | None = None
        self._version: Hashable = None
        self._look_at = float("-inf")
        self._pause = AGAIN

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again, where no event depends on it."""
        return monotonic() >= self._look_at

    @property
    def is_open(self) -> bool:
        """Whether the last look succeeded."""
        return self._directory is not None

    def look(self) -> bool:
        """Bring the listeners up to date, and what was lost of the documents; False if the directory cannot be used."""
        try:
            if self._directory is None:
                self._directory = self._broker.directory(self._listeners.topology.exchange)
                self._listeners.read_broker(self._announced(self._directory))
                self._version = None
            version = self._directory.version()
            if version != self._version:
                self._listeners.read_broker(restore(self._directory, self._announcement()))
                self._version = version
        except DeliveryError as error:
            LOG.warning("the directory of %s cannot be used: %s", self._broker.address, error)
            self.close()
            self._look_at, self._pause = monotonic() + self._pause, min(2 * self._pause, SELDOM)
            return False
        self._look_at, self._pause = monotonic() + (self._broker.promises.directory_age or AGAIN), AGAIN
        return True

    def _announced(self, target: Directory) -> Mapping[str, str]:
        """Announce, once: a later release may have told something else when this process connects again. Return all documents."""
        own = self._announcement()
        documents = (restore if own == self._listeners.announced else announce)(target, own)
        self._listeners.announced = own
        return documents

    def close(self) -> None:
        """Close the connection."""
        target, self._directory = self._directory, None
        if target is not None:
            target.close()


class TrackingSender:
    """A sender for `broker` that keeps `listeners` up to date, and announces what `announcement` gives before it sends anything.

    With `every_time` it looks for new listeners after each batch, also where that takes a while: for whoever sends little, and may not send again soon.

    Raises:
        DeliveryError: the broker does not answer, or refuses us.
    """

    def __init__(
        self,
        broker: Transport,
        listeners: Listeners,
        announcement: Callable[[], Announcement] = Announcement,
        *,
        every_time: bool = False,
    ) -> None:
        self._broker, self._listeners, self._every_time = broker, listeners, every_time
        self._posted: list[Parcel] = []
        self._directory = BrokerDirectory(broker, listeners, announcement)
        self._directory.look()
        self._topology = listeners.topology
        self._sender: Sender = broker.sender(self._topology)

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Hand messages to the broker.

        Raises:
            DeliveryError: the connection failed.
        """
        self._follow()
        addressed = list(map(self._to_all, parcels)) if self._broker.promises.directory_age else parcels
        self._sender.post(addressed)
        if not self._broker.promises.routes:
            self._posted += [parcel for parcel in addressed if not parcel.again]

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait for the broker's answers, and send to who has been announced meanwhile; see `Sender.confirm`.

        Raises:
            DeliveryError: the connection failed, or the broker did not take what is for a new listener.
        """
        answers = self._sender.confirm(timeout)
        if self._is_time_to_look():
            self._look(timeout)
        return answers

    def close(self) -> None:
        """Close the connections, after a last look for new listeners."""
        if self._posted and self._directory.is_open:
            with suppress(DeliveryError):  # whoever closes after a failure sends again
                self._look(AGAIN)
        self._directory.close()
        self._sender.close()

    def _is_time_to_look(self) -> bool:
        is_cheap = self._every_time or not self._broker.promises.directory_age
        return bool(self._posted and self._directory.is_open and is_cheap) or self._directory.is_due

    def _look(self, timeout: float) -> None:
        if self._directory.look():
            self._send_late(timeout)
        else:
            self._posted = _latest(self._posted, KEPT)

    def _send_late(self, timeout: float) -> None:
        """Send what was sent since the last look to those who were not known then."""
        posted, self._posted = self._posted, []
        late = [each for parcel in posted if (each := self._to_others(parcel)).queues]
        if not late:
            return
        self._follow()
        self._sender.post(late)
        for refused in self._sender.confirm(timeout):
            if refused is not None:
                raise refused

    def _to_all(self, parcel: Parcel) -> Parcel:
        """Return a message for those of its listeners, too, that have become known since it was addressed: nobody looks for them soon."""
        return parcel if parcel.again else parcel._replace(queues=parcel.queues + self._to_others(parcel).queues)

    def _to_others(self, parcel: Parcel) -> Parcel:
        """Return a message for those of its listeners to whom it was not sent."""
        listening = self._listeners.topology.listeners(parcel.message.event)
        others = tuple(queue.name for queue in listening if queue.name not in parcel.queues)
        return Parcel(parcel.message, others, again=True)

    def _follow(self) -> None:
        """Connect again if somebody else listens now: a sender knows the queues that it was made with, unless the broker itself does."""
        topology = self._listeners.topology
        if topology != self._topology and not self._broker.promises.routes:
            self._sender.close()
            self._sender, self._topology = self._broker.sender(topology), topology


def _latest(parcels: Sequence[Parcel], size: int) -> list[Parcel]:
    """Return as many of the last ones as have bodies of at most `size` bytes together."""
    kept: list[Parcel] = []
    for parcel in reversed(parcels):
        size -= len(parcel.message.body)
        if size < 0:
            break
        kept.append(parcel)
    return kept[::-1]
