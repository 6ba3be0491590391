"""The dead letter queues of RabbitMQ, looked into without losing anything.

A letter that somebody looks at is given out to them and not acknowledged: when they go, it stands where it stood. Until then others
do not see it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.arrival import opened
from stamp.runtime.graveyard import Dead, Wanted
from stamp.runtime.reason import read
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.letters import ANY_SIZE, REASON
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.layout import DELIVERIES, dead
from stamp.runtime.transports.rabbitmq.letters import LEFT_BEHIND, ROUTING_HEADERS
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.properties import HEADERS, Death, death
from stamp.store.letter import Letter

__all__ = ["RabbitGraveyard"]

ANSWER_TIMEOUT: Final = 30.0

LATE: Final = 1_000
"""How many letters may come beyond those that a queue says it has: those that another person has just let go are not counted."""

OF_THE_DEAD: Final = (REASON, "x-delivery-count", "x-first-death-", "x-last-death-")
"""How headers begin that tell of deaths and deliveries; they are not the sender's."""

TOLD: Final[Mapping[str, str]] = {
    "delivery_limit": f"it was given out more than {DELIVERIES} times, and nobody acknowledged it: does it kill its consumers?",
    "rejected": "a consumer rejected it",
    "expired": "it was older than its queue, or its sender, allows",
    "maxlen": "its queue was full",
}
"""What RabbitMQ means by the reasons for which it buries."""


class _Tag(NamedTuple):
    """What a letter is acknowledged by, on the channel that it was given out on; and what was written beside its body."""

    channel: Any
    number: int
    properties: Mapping[str, Any]


class RabbitGraveyard:
    """The dead letter queues of `queues`, on a connection of its own, which finds each letter once. `missing` are those that are not there."""

    def __init__(self, link: Link, address: str, queues: Sequence[str]) -> None:
        self.address = address
        self._link = link
        self._confirms: Confirms | None = None
        self._replayed: set[tuple[str, bytes]] = set()
        self._unsettled: dict[Any, str] = {}
        sizes = {queue: self._size(queue) for queue in dict.fromkeys(queues)}
        self._sizes = {queue: size for queue, size in sizes.items() if size is not None}
        self.missing = [queue for queue in sizes if queue not in self._sizes]

    def _size(self, queue: str) -> int | None:
        with self._link.guard():
            try:
                return int(self._link.open_channel().queue_declare(dead(queue), passive=True).message_count)
            except amqp.NotFound:
                return None

    def find(self, wanted: Wanted) -> Generator[Dead, None, None]:
        """Read dead letters, those of one queue after those of another."""
        for queue in filter(wanted.takes_queue, self._sizes):
            yield from filter(wanted.takes, self._peek(queue))

    def _peek(self, queue: str) -> Iterator[Dead]:
        """Read a queue to its end, which may move: what we replay may die again, and others may die meanwhile."""
        with self._link.guard():
            channel = self._link.open_channel()
        for _ in range(self._sizes[queue] + LATE):
            with self._link.guard():
                message = channel.basic_get(dead(queue))
            if message is None:
                return
            found = _dead(queue, message, channel)
            if (queue, found.message.event_id) not in self._replayed:
                yield found

    def replay(self, dead: Sequence[Dead]) -> int:
        """Publish letters to their queues; each goes when the broker has confirmed that it is there."""
        with self._link.guard():
            confirms = self._confirms = self._confirms or Confirms(self._link.open_channel())
            for each in dead:
                confirms.publish(confirms.open(), _revived(each), "", each.queue, mandatory=True)
            if not self._link.wait(lambda: confirms.in_flight == 0, ANSWER_TIMEOUT):
                raise DeliveryError(f"{self.address}: no answer within {ANSWER_TIMEOUT:g} s{self._link.trouble}")
            verdicts = confirms.take()
        replayed = [each for each, refused in zip(dead, verdicts, strict=True) if refused is None]
        self._replayed.update((each.queue, each.message.event_id) for each in replayed)
        self.discard(replayed)
        for refused in filter(None, verdicts):
            raise refused
        return len(replayed)

    def discard(self, dead: Sequence[Dead]) -> int:
        """Acknowledge letters; from then on the broker does not have them any more."""
        with self._link.guard():
            self._link.pump(0)  # else nobody would notice that the connection has ended
            for each in dead:
                each.tag.channel.basic_ack(each.tag.number)
                self._unsettled[each.tag.channel] = each.queue
        return len(dead)

    def _settle(self) -> None:
        """Have the broker act on acknowledgements: of many it keeps some back, and forgets them when the connection is closed.

        Seen with quorum queues of RabbitMQ 3.10: of 250 that were acknowledged 217 came back. What asks for a message has to wait its turn.
        """
        for channel, queue in self._unsettled.items():
            with self._link.guard():
                channel.basic_get(dead(queue))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._settle()
        finally:
            self._link.close()


def _dead(queue: str, message: amqp.Message, channel: Any) -> Dead:
    properties = message.properties
    headers = properties.get(HEADERS, {})
    arrival = Arrival(
        queue=queue,
        body=message.body or b"",
        headers=_of_the_sender(headers),
        content_type=properties.get("content_type"),
        content_encoding=properties.get("content_encoding"),
        unreadable=message.unreadable,
    )
    found, _ = opened(arrival, queue.partition(".")[0], ANY_SIZE)
    latest = death(message.table)
    tag = _Tag(channel, message.delivery_tag, properties)
    return Dead(queue, found, _letter(headers, latest), last_at=latest.at and latest.at * 1_000_000, tag=tag)


def _letter(headers: Mapping[str, str], latest: Death) -> Letter:
    """Return why a message is here: said by the worker that buried it, else by RabbitMQ."""
    if REASON in headers:
        return read(headers[REASON])
    reason = latest.reason or "unknown"
    return Letter(reason.replace("_", "-"), "", TOLD.get(reason, ""))


def _revived(letter: Dead) -> amqp.Message:
    """Return a message that is as it was before it died, without what RabbitMQ would act on."""
    properties = letter.tag.properties
    kept = {name: value for name, value in properties.items() if name not in LEFT_BEHIND}
    kept[HEADERS] = _of_the_sender(properties.get(HEADERS, {}))
    return amqp.Message(letter.message.body, **{**kept, "delivery_mode": PERSISTENT})


def _of_the_sender(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name not in ROUTING_HEADERS and not name.startswith(OF_THE_DEAD)
    }
