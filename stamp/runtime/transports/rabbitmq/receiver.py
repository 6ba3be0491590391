"""Consumes queues of RabbitMQ."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.layout import dead
from stamp.runtime.transports.rabbitmq.link import Link

__all__ = ["RabbitReceiver"]

ANSWER_TIMEOUT: Final = 30.0
DELIVERY_COUNT: Final = "x-delivery-count"
REASON: Final = "stamp-reason"
REASON_LARGEST: Final = 2_000
# What must not go with a letter: it would perish, be refused from another user, or be routed to other queues.
LEFT_BEHIND: Final = frozenset({"expiration", "user_id"})
ROUTING_HEADERS: Final = frozenset({"CC", "BCC"})


class RabbitReceiver:
    """Consumes `queues` on a connection of its own.

    RabbitMQ counts the messages that are out for each consumer alone, so `prefetch` is shared out among the queues, at least one
    each; what comes beyond it waits here.
    """

    def __init__(self, link: Link, queues: Sequence[str], *, prefetch: int) -> None:
        self._link = link
        self._prefetch = prefetch
        self._waiting: deque[Arrival] = deque()
        self._unacknowledged: dict[int, amqp.Message] = {}
        self._letters: Confirms | None = None
        with link.guard():
            link.channel.basic_qos(0, max(1, prefetch // len(queues)), a_global=False)
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
            self._link.pump(
                0
            )  # else nobody would notice that the connection has ended: a socket takes what it can still buffer
            if row:
                self._link.channel.basic_ack(row[-1], multiple=True)
            for tag in sorted(tags.difference(row)):
                self._link.channel.basic_ack(tag)
        for tag in tags:
            del self._unacknowledged[tag]

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Put `arrival` into the dead letter queue, with a header `stamp-reason`, and acknowledge it when it is there.

        Raises:
            DeliveryError: the connection failed, the queue is not there or full.
        """
        with self._link.guard():
            self._publish_letter(dead(arrival.queue), _letter(arrival.tag, reason))
        self.acknowledge([arrival])

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _consume(self, queue: str) -> None:
        self._link.channel.basic_consume(
            queue, callback=partial(self._on_message, queue), on_cancel=partial(_on_cancel, queue)
        )

    def _on_message(self, queue: str, message: amqp.Message) -> None:
        self._unacknowledged[message.delivery_tag] = message
        self._waiting.append(_arrival(queue, message))

    def _ready(self) -> int:
        """Return how many of those that wait may be given out."""
        out = len(self._unacknowledged) - len(self._waiting)
        return min(len(self._waiting), self._prefetch - out)

    def _is_out(self, arrival: Arrival) -> bool:
        return self._unacknowledged.get(arrival.tag.delivery_tag) is arrival.tag

    def _publish_letter(self, queue: str, letter: amqp.Message) -> None:
        """Publish on a channel of its own, and wait for the answer; messages that arrive meanwhile wait here."""
        if self._letters is None:
            self._letters = Confirms(self._link.open_channel())
        letters = self._letters
        letters.publish(letters.open(), letter, "", queue, mandatory=True)
        if not self._link.wait(lambda: letters.in_flight == 0, ANSWER_TIMEOUT):
            raise DeliveryError(
                f"no answer for a dead letter within {ANSWER_TIMEOUT:g} s{self._link.trouble}; connect again"
            )
        for verdict in filter(None, letters.take()):
            raise verdict


def _arrival(queue: str, message: amqp.Message) -> Arrival:
    """Return what arrived, without what the broker added: how often it gave the message out before."""
    properties = message.properties
    headers = properties.get("application_headers") or {}
    before = headers.pop(DELIVERY_COUNT, 0)
    return Arrival(
        queue=queue,
        body=message.body or b"",  # py-amqp has a str for no body
        headers=headers,
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        deliveries=1 + before if message.delivery_info["redelivered"] else 1,
        tag=message,
    )


def _letter(message: amqp.Message, reason: str) -> amqp.Message:
    """Return a copy of `message` that stays where it is put."""
    kept = {name: value for name, value in message.properties.items() if name not in LEFT_BEHIND}
    headers = {name: value for name, value in (message.headers or {}).items() if name not in ROUTING_HEADERS}
    kept["application_headers"] = {**headers, REASON: reason[:REASON_LARGEST]}
    return amqp.Message(message.body or b"", **{**kept, "delivery_mode": PERSISTENT})


def _on_cancel(queue: str, _consumer: str) -> None:
    raise DeliveryError(
        f"RabbitMQ ended the consumption of queue {queue!r}: somebody deleted it; connect again to declare it"
    )
