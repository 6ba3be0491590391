"""Consumes queues of RabbitMQ."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from typing import Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
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
    each; what comes beyond it waits here. It counts no bytes (`prefetch_size` is not implemented), so when what is here has `prefetch_bytes`
    no more is read: the rest waits in the network. `connect` gives a connection for dead letters, whose confirms must not wait behind that.
    """

    def __init__(
        self,
        link: Link,
        queues: Sequence[str],
        *,
        prefetch: int,
        prefetch_bytes: int = PREFETCH_BYTES,
        connect: Callable[[], Link],
    ) -> None:
        self._link = link
        self._connect = connect
        self._prefetch, self._prefetch_bytes = prefetch, prefetch_bytes
        self._size = 0
        link.is_full = lambda: self._size >= prefetch_bytes
        self._waiting: deque[Arrival] = deque()
        self._unacknowledged: dict[int, Arrival] = {}
        self._letters: Letters | None = None
        with link.guard():
            link.channel.basic_qos(0, min(max(1, prefetch // len(queues)), MOST), a_global=False)
            for queue in queues:
                self._consume(queue)

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return all that has arrived, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed, or a queue was deleted.
        """
        with self._link.guard():
            self._link.pump(0)
            self._link.wait(lambda: self._ready() > 0, timeout)
        if self._letters is not None:
            self._letters.beat()
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
        self._letters = self._letters or Letters(self._connect())
        self._letters.put(dead(arrival.queue), arrival, reason)
        self.acknowledge([arrival])

    def close(self) -> None:
        """Close the connection."""
        self._link.close()
        if self._letters is not None:
            self._letters.close()

    def _consume(self, queue: str) -> None:
        self._link.channel.basic_consume(
            queue, callback=partial(self._on_message, queue), on_cancel=partial(_on_cancel, queue)
        )

    def _on_message(self, queue: str, message: amqp.Message) -> None:
        arrival = _arrival(queue, message)
        self._unacknowledged[message.delivery_tag] = arrival
        self._size += arrival.size
        self._waiting.append(arrival)

    def _ready(self) -> int:
        """Return how many of those that wait may be given out."""
        out = len(self._unacknowledged) - len(self._waiting)
        return min(len(self._waiting), self._prefetch - out)

    def _is_out(self, arrival: Arrival) -> bool:
        ours = self._unacknowledged.get(arrival.tag.delivery_tag)
        return ours is not None and ours.tag is arrival.tag


def _arrival(queue: str, message: amqp.Message) -> Arrival:
    """Return what arrived. How often the broker gave a message out before it notes among its headers."""
    properties = message.properties
    again = message.delivery_info["redelivered"]
    return Arrival(
        queue=queue,
        body=message.body or b"",  # py-amqp has a str for no body
        headers=properties.get(HEADERS, {}),
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        unreadable=message.unreadable,
        deliveries=1 + (number(message.table, DELIVERY_COUNT) or 0) if again else 1,
        tag=message,
    )


def _on_cancel(queue: str, _consumer: str) -> None:
    raise DeliveryError(
        f"RabbitMQ ended the consumption of queue {queue!r}: somebody deleted it; connect again to declare it"
    )
