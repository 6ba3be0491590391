"""Consumes topics."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from time import monotonic
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
from stamp.runtime.transports.kafka import record
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.line import Line
from stamp.runtime.transports.kafka.record import LARGEST
from stamp.runtime.transports.kafka.subscription import Subscription, Tag
from stamp.runtime.transports.letters import dead

__all__ = ["KafkaReceiver"]

GLANCE: Final = 0.02
LOOK: Final = 0.5
"""How long to wait for one of several topics, and for the only one, before looking whether anybody is there, in seconds."""
ANSWER_TIMEOUT: Final = 30.0


class KafkaReceiver:
    """Consumes `queues`, each in a group of its own: so the services of a workflow come and go without each other's notice.

    Kafka knows no limit of messages that are out, so it is kept here: what was polled beyond it waits, and at some point polling stops.
    """

    def __init__(
        self, address: Address, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> None:
        self._address, self._prefetch = address, prefetch
        share = max(1, prefetch // len(queues))
        space = max(1, prefetch_bytes // len(queues))
        self._subscriptions = {queue: Subscription(address, queue, limit=share, space=space) for queue in queues}
        self._turns = deque(self._subscriptions.values())
        self._waiting: deque[tuple[Subscription, Tag]] = deque()
        self._letters: Line | None = None
        self._is_open = True

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return what has arrived, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the cluster is gone, or does not let us.
        """
        self._must_be_open()
        deadline = monotonic() + timeout
        try:
            for _ in self._subscriptions:
                self._poll(0.0)
            while not (arrivals := self._given_out()) and (left := deadline - monotonic()) > 0:
                self._poll(min(left, LOOK if len(self._turns) == 1 else GLANCE))
        except DeliveryError:
            self.close()
            raise
        return arrivals

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Commit, for each partition, how far it is done; what came with an earlier assignment is passed over.

        Raises:
            DeliveryError: the cluster is gone.
        """
        self._must_be_open()
        tags = defaultdict(list)
        for each in arrivals:
            tags[each.queue].append(each.tag)
        try:
            for queue, done in tags.items():
                if queue in self._subscriptions:
                    self._subscriptions[queue].acknowledge(done)
        except DeliveryError:
            self.close()
            raise

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Publish a copy to the topic of dead letters, with a header `stamp-reason`, and acknowledge the message when that is confirmed.

        Where a copy is too large with its reason, a letter without a body says where the record stays: without one it would come again for ever.

        Raises:
            DeliveryError: the cluster is gone, or does not take the letter: then the message stays as it is.
        """
        self._must_be_open()
        if not self._subscriptions[arrival.queue].holds(arrival.tag):
            return
        try:
            letter = record.letter(arrival, arrival.tag.polled, reason)
            verdict = self._publish(dead(arrival.queue), letter)
            if verdict is not None and letter.size > LARGEST:
                verdict = self._publish(dead(arrival.queue), record.remark(arrival.tag.polled, reason))
        except DeliveryError:
            self.close()
            raise
        if verdict is not None:
            raise verdict
        self.acknowledge([arrival])

    def close(self) -> None:
        """Leave the groups; what is not acknowledged goes to others."""
        if self._is_open:
            self._is_open = False
            for each in self._subscriptions.values():
                each.close()
            if self._letters is not None:
                self._letters.close()

    def _publish(self, topic: str, letter: record.Record) -> DeliveryError | None:
        letters = self._letters = self._letters or Line(self._address)
        letters.publish(letters.open(), topic, letter)
        (verdict,) = letters.wait(ANSWER_TIMEOUT)
        return verdict

    def _poll(self, timeout: float) -> None:
        """Let the next topic have its turn."""
        subscription = self._turns[0]
        self._turns.rotate(-1)
        waiting = sum(each is subscription for each, _ in self._waiting)
        self._waiting.extend((subscription, tag) for tag in subscription.poll(waiting, timeout))

    def _given_out(self) -> Sequence[Arrival]:
        """Return what waits and may be out, too."""
        held = [(each, tag) for each, tag in self._waiting if each.holds(tag)]  # the rest went away with its partition
        room = self._prefetch - sum(each.is_out for each in self._turns) + len(held)
        self._waiting = deque(held[max(0, room) :])
        return [record.arrival(each.queue, tag.polled, tag) for each, tag in held[: max(0, room)]]

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise DeliveryError(f"the connection to Kafka at {self._address} is closed; open another one")
