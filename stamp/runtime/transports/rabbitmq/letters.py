"""Dead letters: messages that go aside as they came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.outside import LEFT_OUT, size
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.letters import marked
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.properties import HEADERS

__all__ = ["Letters"]

ANSWER_TIMEOUT: Final = 30.0
ROOM: Final = 20_000
"""Bytes of a frame for the reason and the other properties."""

AROUND_HEADER: Final = 6
"""Bytes of a header beside its name and its text: the length of the name, a type, and the length of the text."""

# With these a letter would perish, or be refused because it comes from another user.
LEFT_BEHIND: Final = frozenset({"expiration", "user_id"})
# By these it would be routed to other queues.
ROUTING_HEADERS: Final = frozenset({"CC", "BCC"})


class Letters:
    """Publishes dead letters, on a channel of its own of the connection that consumes. Call it within the link's guard."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._confirms = Confirms(link.open_channel())

    def put(self, queue: str, arrival: Arrival, reason: str) -> None:
        """Put a copy of what arrived into `queue`, and wait until the broker has it.

        Raises:
            DeliveryError: the broker does not answer, or there is no such queue.
        """
        letter = _letter(arrival, reason, self._link.largest_frame - ROOM)
        self._confirms.publish(self._confirms.open(), letter, "", queue, mandatory=True)
        if not self._link.wait(lambda: self._confirms.in_flight == 0, ANSWER_TIMEOUT):
            raise DeliveryError(
                f"no answer for a dead letter within {ANSWER_TIMEOUT:g} s{self._link.trouble}; connect again"
            )
        for verdict in filter(None, self._confirms.take()):
            raise verdict


def _letter(arrival: Arrival, reason: str, largest: int) -> amqp.Message:
    """Return a copy of what arrived that stays where it is put."""
    kept = {name: value for name, value in arrival.tag.properties.items() if name not in LEFT_BEHIND}
    kept[HEADERS] = marked(_headers(arrival.headers, largest), reason)
    return amqp.Message(arrival.body, **{**kept, "delivery_mode": PERSISTENT})


def _headers(headers: Mapping[str, str], largest: int) -> Mapping[str, str]:
    """Return `headers` without those that route, or a note if they leave no room in the frame for what is added."""
    kept = {name: value for name, value in headers.items() if name not in ROUTING_HEADERS}
    total = sum(size(*each) for each in kept.items())
    return kept if total + AROUND_HEADER * len(kept) <= largest else {LEFT_OUT: f"{total} bytes: no room for them"}
