"""What comes in from a broker: one thread talks to it, and performers take from here what it got."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final, NamedTuple

from stamp.errors import DeliveryError
from stamp.runtime.points import Passing
from stamp.runtime.transport import Arrival, Receiver

__all__ = ["Intake", "Received"]

BUSY: Final = 0.01
IDLE: Final = 0.5
"""How long to listen, in seconds: acknowledgements wait as long, so be short when there are some to come."""


class Received(NamedTuple):
    """A message, and the receiver that got it: no other one can acknowledge it."""

    arrival: Arrival
    receiver: Receiver


class Intake:
    """Receives, and acknowledges what has been settled.

    `turn` belongs to one thread, which is never busy with anything else, so that the connection is kept alive whatever handlers do. All
    other methods are for performers, in any thread.
    """

    def __init__(self, connect: Callable[[], Receiver], *, ring: Callable[[], None], at: Passing) -> None:
        self._connect, self._ring, self._at = connect, ring, at
        self._receiver: Receiver | None = None
        self._lock = Lock()
        self._waiting: deque[Received] = deque()
        self._settled: list[Received] = []
        self._buried: list[tuple[Received, str]] = []
        self._outstanding = 0

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as we know."""
        return self._receiver is not None

    # -- for the thread that talks to the broker

    def turn(self) -> None:
        """Acknowledge what is settled, then receive.

        Raises:
            DeliveryError: the connection cannot be made or is lost; the next turn makes a new one.
        """
        try:
            if self._receiver is None:
                self._receiver = self._connect()
            self._acknowledge(self._receiver)
            self._at("before receive")
            arrivals = self._receiver.receive(BUSY if self._outstanding else IDLE)
        except DeliveryError:
            self.disconnect()
            raise
        if arrivals:
            self._at("after receive")
            with self._lock:
                self._waiting.extend(Received(arrival, self._receiver) for arrival in arrivals)
                self._outstanding += len(arrivals)
            self._ring()

    def _acknowledge(self, receiver: Receiver) -> None:
        with self._lock:
            settled, self._settled = self._settled, []
            buried, self._buried = self._buried, []
            self._outstanding -= len(settled) + len(buried)
        ours = [received.arrival for received in settled if received.receiver is receiver]
        if ours:  # first: a dead letter that cannot be written ends the connection
            self._at("before acknowledge")
            receiver.acknowledge(ours)
            self._at("after acknowledge")
        for received, reason in buried:
            if received.receiver is receiver:
                receiver.bury(received.arrival, reason)

    def finish(self) -> None:
        """Acknowledge what is settled, and no more."""
        if self._receiver is not None:
            self._acknowledge(self._receiver)

    def disconnect(self) -> None:
        """Close the connection. What was not acknowledged comes again, so it is forgotten here."""
        receiver, self._receiver = self._receiver, None
        with self._lock:
            self._waiting.clear()
            self._settled, self._buried, self._outstanding = [], [], 0
        if receiver is not None:
            receiver.close()

    # -- for performers

    def collect(self, limit: int) -> Sequence[Received]:
        """Take at most `limit` messages, in the order in which they came."""
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def is_current(self, received: Received) -> bool:
        """Tell whether a message is still ours: on another connection the broker gives it out again."""
        return received.receiver is self._receiver

    def give_back(self, received: Iterable[Received]) -> None:
        """Take messages back that could not be settled: they are the next ones."""
        with self._lock:
            self._waiting.extendleft(reversed([each for each in received if self.is_current(each)]))

    def settle(self, received: Iterable[Received]) -> None:
        """Have messages acknowledged: somebody else takes care of them now."""
        with self._lock:
            self._settled.extend(each for each in received if self.is_current(each))

    def bury(self, received: Received, reason: str) -> None:
        """Have a message put among the dead letters of its queue."""
        with self._lock:
            if self.is_current(received):
                self._buried.append((received, reason))
