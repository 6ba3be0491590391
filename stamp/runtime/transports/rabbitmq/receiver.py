"""Consumes queues of RabbitMQ."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
from stamp.runtime.transports.rabbitmq.credit import Credit
from stamp.runtime.transports.rabbitmq.layout import dead
from stamp.runtime.transports.rabbitmq.letters import Letters
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.properties import HEADERS, number

__all__ = ["RabbitReceiver"]

MOST: Final = 65_535  # of a consumer, in AMQP
DELIVERY_COUNT: Final = b"x-delivery-count"


class RabbitReceiver:
    """Consumes `queues` on a connection of its own.

    RabbitMQ counts the messages that are out for each consumer alone, so `prefetch` is shared out among the queues, at least one
    each; what comes beyond it waits here. It counts no bytes. So when what is here has `prefetch_bytes`, what else comes is given back to its queue
    without having been kept, and nothing is consumed until half of them are acknowledged; then as many as fit (`Credit`).
    """

    def __init__(
        self, link: Link, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> None:
        self._link = link
        self._prefetch, self._prefetch_bytes = prefetch, prefetch_bytes
        self._size = 0
        self._waiting: deque[Arrival] = deque()
        self._unacknowledged: dict[int, Arrival] = {}
        self._left: list[int] = []
        self._queues = deque(queues)
        self._consumers: list[str] = []
        self._credit = Credit(min(max(1, prefetch // len(queues)), MOST), len(queues))
        self._letters: Letters | None = None
        link.has_room = self._has_room
        with link.guard():
            self._consume()

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return all that has arrived, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed, or a queue was deleted.
        """
        with self._link.guard():
            self._link.pump(0)
            self._adjust()
            self._link.wait(lambda: self._ready() > 0 or bool(self._left), timeout)
            self._adjust()
        return [self._waiting.popleft() for _ in range(self._ready())]

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge `arrivals`, with few words where they came in a row.

        What does not wait for it is passed over: it was acknowledged before, or came on another connection and comes again.

        Raises:
            DeliveryError: the connection failed.
        """
        tags = {each.tag.delivery_tag for each in arrivals if self._is_out(each)}
        row = list(takewhile(tags.__contains__, self._unacknowledged))
        with self._link.guard():
            # Else nobody would notice that the connection has ended: a socket takes what it can still buffer.
            self._link.pump(0)
            if row:
                self._link.channel.basic_ack(row[-1], multiple=True)
            for tag in sorted(tags.difference(row)):
                self._link.channel.basic_ack(tag)
        for tag in tags:
            self._size -= self._unacknowledged.pop(tag).size

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Put `arrival` into the dead letter queue, with a header `stamp-reason`, and acknowledge it when it is there.

        Raises:
            DeliveryError: the connection failed, the queue is not there or full.
        """
        with self._link.guard():
            self._letters = self._letters or Letters(self._link)
            self._letters.put(dead(arrival.queue), arrival, reason)
        self.acknowledge([arrival])

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _consume(self) -> None:
        """Consume all queues, by turns another one first."""
        self._link.channel.basic_qos(0, self._credit.count, a_global=False)
        self._consumers = [
            self._link.channel.basic_consume(
                queue, callback=partial(self._on_message, queue), on_cancel=partial(_on_cancel, queue)
            )
            for queue in self._queues
        ]
        self._queues.rotate(-1)

    def _pause(self) -> int:
        """Consume no more, give back what was left, in its order, and return how many that were; what was kept stays ours."""
        for consumer in self._consumers:
            self._link.channel.basic_cancel(consumer)
        self._consumers = []
        left, self._left = self._left, []
        for tag in left:
            self._link.channel.basic_reject(tag, requeue=True)
        return len(left)

    def _adjust(self) -> None:
        """Pause when something was left, and go on when there is room for it; ask for more at a time when there was room all the time."""
        if self._left:
            self._credit.fit(self._prefetch_bytes, returned=self._pause())
        elif self._consumers and self._credit.may_grow:
            self._pause()
            self._credit.grow()
        if not self._consumers and self._size <= self._prefetch_bytes // 2:
            self._consume()

    def _has_room(self) -> bool:
        """Tell whether a body is kept; after one that was not, none is, so that those of a queue stay in their order."""
        return not self._left and self._size < self._prefetch_bytes

    def _on_message(self, queue: str, message: amqp.Message) -> None:
        if message.is_left:
            self._left.append(message.delivery_tag)
            return
        arrival = _arrival(queue, message)
        self._unacknowledged[message.delivery_tag] = arrival
        self._size += arrival.size
        self._credit.arrived(arrival.size)
        self._waiting.append(arrival)

    def _ready(self) -> int:
        """Return how many of those that wait may be given out."""
        out = len(self._unacknowledged) - len(self._waiting)
        return min(len(self._waiting), self._prefetch - out)

    def _is_out(self, arrival: Arrival) -> bool:
        ours = self._unacknowledged.get(arrival.tag.delivery_tag)
        return ours is not None and ours.tag is arrival.tag


def _arrival(queue: str, message: amqp.Message) -> Arrival:
    """Return what arrived. How often the broker gave a message out before it notes among its headers, which are not kept."""
    properties, table = message.properties, message.table
    message.table = b""
    again = message.delivery_info["redelivered"]
    return Arrival(
        queue=queue,
        body=message.body or b"",  # py-amqp has a str for no body
        headers=properties.get(HEADERS, {}),
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        unreadable=message.unreadable,
        deliveries=1 + (number(table, DELIVERY_COUNT) or 0) if again else 1,
        tag=message,
    )


def _on_cancel(queue: str, _consumer: str) -> None:
    raise DeliveryError(
        f"RabbitMQ ended the consumption of queue {queue!r}: somebody deleted it; connect again to declare it"
    )
