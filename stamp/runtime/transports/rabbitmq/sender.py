"""Publishes to RabbitMQ with a window of confirms in flight."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.rabbitmq.confirms import Confirms
from stamp.runtime.transports.rabbitmq.frames import publish
from stamp.runtime.transports.rabbitmq.heart import Heart
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.store.message import Message

__all__ = ["LARGEST", "RabbitSender"]

LARGEST: Final = 16 * 2**20
"""Bytes of a body: what RabbitMQ 4 accepts unless told otherwise."""
ROUTING_HEADERS: Final = frozenset({"CC", "BCC"})
ANSWER_TIMEOUT: Final = 30.0
TOGETHER: Final = 2**15
"""Bytes that are worth a write."""


class RabbitSender:
    """Publishes on a connection of its own, at most `window` messages ahead of the broker's answers."""

    def __init__(self, link: Link, exchange: str, *, window: int, beat: float) -> None:
        self._link = link
        self._exchange = exchange
        self._window = window
        self._unsent = bytearray()
        with link.guard():
            self._confirms = Confirms(link.channel)
            self._channel: int = link.channel.channel_id
            self._largest = link.largest_frame
        self._heart = Heart(link, beat=beat)

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Publish; wait only while the window is full.

        Raises:
            DeliveryError: the connection failed, or the broker did not answer for 30 seconds.
        """
        with self._heart.lock, self._link.guard():
            for parcel in parcels:
                self._post(parcel)
            self._flush()

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait for the broker's answers to what was posted, at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed or an answer is missing.
        """
        with self._heart.lock, self._link.guard():
            self._wait_for_answers(0, timeout)
            return self._confirms.take()

    def close(self) -> None:
        """Close the connection."""
        self._heart.stop()

    def _post(self, parcel: Parcel) -> None:
        slot = self._confirms.open()
        try:
            publications = self._publications(parcel)
        except DeliveryError as refusal:
            self._confirms.condemn(slot, refusal)
            return
        for exchange, key, frames in publications:
            self._make_room()
            self._confirms.expect(slot, exchange, key, parcel.message.event_id.hex())
            self._unsent += frames

    def _publications(self, parcel: Parcel) -> Sequence[tuple[str, str, bytes]]:
        """Return exchanges, routing keys and what to send.

        Raises:
            DeliveryError: RabbitMQ would not take it, and end the connection with all that is on its way.
        """
        _check(parcel.message)
        build = partial(
            publish, parcel.message, mandatory=bool(parcel.queues), channel=self._channel, largest=self._largest
        )
        return [(exchange, key, build(exchange, key)) for exchange, key in self._places(parcel)]

    def _places(self, parcel: Parcel) -> Sequence[tuple[str, str]]:
        """Return exchanges and routing keys; the default exchange, which has no name, knows every queue by its own."""
        if parcel.again and parcel.queues:
            return [("", queue) for queue in parcel.queues]
        return ((self._exchange, parcel.message.event),)

    def _make_room(self) -> None:
        """Send what is worth a write; wait when the window is full, for half of it, so that writes stay large."""
        if self._confirms.in_flight >= self._window:
            self._flush()
            self._wait_for_answers(self._window // 2, ANSWER_TIMEOUT)
        elif len(self._unsent) >= TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._unsent:
            self._link.write(self._unsent)
            self._unsent.clear()

    def _wait_for_answers(self, in_flight: int, timeout: float) -> None:
        """Wait until no more than `in_flight` messages are without an answer."""
        if not self._link.wait(lambda: self._confirms.in_flight <= in_flight, timeout):
            raise DeliveryError(
                f"no answer from the broker within {timeout:g} s for {self._confirms.in_flight} messages{self._link.trouble}; "
                "they count as not sent: connect again"
            )


def _check(message: Message) -> None:
    if len(message.body) > LARGEST:
        raise DeliveryError(
            f"{message.event!r} has a body of {len(message.body)} bytes, and {LARGEST} is the most; keep what is large elsewhere"
        )
    if not ROUTING_HEADERS.isdisjoint(message.headers):
        raise DeliveryError(
            f"{message.event!r} has a header CC or BCC, by which RabbitMQ would route it; name it otherwise"
        )
