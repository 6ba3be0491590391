"""What goes out to a broker: from the outbox, again and again until it is certain that it got there."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from time import monotonic
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.points import Passing
from stamp.runtime.transport import Parcel, Sender
from stamp.store import outbox
from stamp.store.message import Message
from stamp.store.store import Store

__all__ = ["Relay"]

LOG: Final = logging.getLogger("stamp.relay")

BATCH: Final = 100
"""How many messages are sent before anybody waits for a confirm."""

ENOUGH: Final = 2_000
"""How many messages may wait to be sent before no new work is taken."""

LOOK: Final = 0.5
"""How often the outbox is searched for what was not sent, or got lost, in seconds."""

TIMEOUT: Final = 10.0
"""How long to wait for a broker's confirms, in seconds."""

LONGEST_REST: Final = 60_000_000
"""How long, at most, a message without a receipt rests before it is sent again, in microseconds."""

UNANSWERED: Final = 10
"""After how many times without a receipt somebody should look."""


class Relay:
    """Sends parcels, and takes what is certain out of the outbox.

    Certain is a confirm of a broker that keeps what it confirms, and with others only the receipt: that the listener's inbox, in the same
    database, has the message. `turn` belongs to one thread; `hand` is for performers.
    """

    def __init__(
        self,
        connect: Callable[[], Sender],
        store: Store,
        *,
        keeps: bool,
        clock: Callable[[], int],
        rest: int,
        ring: Callable[[], None],
        at: Passing,
        has_given_up: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._connect, self._keeps, self._store = connect, keeps, store
        self._clock, self._rest, self._ring, self._at = clock, rest, ring, at
        self._has_given_up = has_given_up
        self._sender: Sender | None = None
        self._lock = Lock()
        self._waiting: deque[Parcel] = deque()
        self._next_look = float("-inf")

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as we know."""
        return self._sender is not None

    @property
    def is_empty(self) -> bool:
        """Whether everything that was handed over has been sent."""
        return not self._waiting

    @property
    def has_room(self) -> bool:
        """Whether more should be handed over: when a broker is slow or gone, work waits in the inbox and not here."""
        return len(self._waiting) < ENOUGH

    def hand(self, parcels: Sequence[Parcel]) -> None:
        """Take parcels, whose messages are in the outbox, to be sent now."""
        with self._lock:
            self._waiting.extend(parcels)
        self._ring()

    def turn(self) -> bool:
        """Send what waits; False if nothing did.

        Raises:
            DeliveryError: the connection cannot be made or is lost. What was not confirmed is sent in the next turn.
            StoreError: the outbox cannot be read or written. What was sent may be sent again.
        """
        if self._sender is None:
            self._sender = self._connect()
        overdue = self._overdue()
        taken = [] if overdue else self._take()
        parcels = overdue or taken
        try:
            answers = self._send(self._sender, parcels) if parcels else self._sender.confirm(0)
        except DeliveryError:
            self.disconnect()
            with self._lock:  # what was overdue is still in the outbox, and will be again
                self._waiting.extendleft(reversed(taken))
            raise
        self._mark(parcels, answers)
        return bool(parcels)

    def _take(self) -> Sequence[Parcel]:
        had_room = self.has_room
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if self.has_room and not had_room:
            self._ring()
        return taken

    def _send(self, sender: Sender, parcels: Sequence[Parcel]) -> Sequence[DeliveryError | None]:
        self._at("before publish")
        sender.post(parcels)
        self._at("after publish")
        self._at("before confirm")
        answers = sender.confirm(TIMEOUT)
        self._at("after confirm")
        return answers

    def _mark(self, parcels: Sequence[Parcel], answers: Sequence[DeliveryError | None]) -> None:
        certain: list[tuple[bytes, str]] = []
        for parcel, refused in zip(parcels, answers, strict=True):
            if refused is not None and parcel.queues and all(map(self._has_given_up, parcel.queues)):
                LOG.warning("nobody listens in %s any more", ", ".join(parcel.queues), extra=_described(parcel.message))
                certain.extend((parcel.message.event_id, queue) for queue in parcel.queues)
            elif refused is not None:
                LOG.error("not taken, stays in the outbox: %s", refused, extra=_described(parcel.message))
            elif self._keeps or not parcel.queues:
                certain.extend((parcel.message.event_id, queue) for queue in parcel.queues or ("",))
        if certain:
            self._at("before mark")
            with self._store.begin() as transaction:
                outbox.finish(transaction, certain)
            self._at("after mark")

    def _overdue(self) -> Sequence[Parcel]:
        """Look into the outbox, from time to time, for what has rested long enough without anything certain.

        Also when there is plenty to send: what got lost must not wait until there is not. But new events have their turns, too.
        """
        if monotonic() < self._next_look:
            return []
        now = self._clock()
        with self._store.begin() as transaction:
            if not self._keeps:
                outbox.receive_receipts(transaction)
            due = outbox.due(transaction, now=now, limit=BATCH, rest=self._next_rest)
        if len(due) < BATCH or self._waiting:
            self._next_look = monotonic() + LOOK
        with self._lock:
            here = {parcel.message.event_id for parcel in self._waiting}
        lost = [each for each in due if each.message.event_id not in here]  # what waits to be sent is not late, we are
        for each in lost:
            _warn(each)
        return [Parcel(message, (queue,) if queue else (), again=bool(queue)) for message, queue, _ in lost]

    def _next_rest(self, sends: int) -> int:
        return int(min(self._rest * 2 ** min(sends, 30), LONGEST_REST))

    def disconnect(self) -> None:
        """Close the connection."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()


def _warn(due: outbox.Due) -> None:
    if due.sends >= UNANSWERED:
        text = "sent %d times without a receipt: does %s share this store, and does somebody run it?"
        LOG.warning(text, due.sends, due.consumer or "the broker", extra=_described(due.message))


def _described(message: Message) -> dict[str, str]:
    return {"workflow_id": message.workflow_id, "event": message.event, "event_id": message.event_id.hex()}
