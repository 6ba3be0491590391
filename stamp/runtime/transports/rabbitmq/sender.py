"""Publishes to RabbitMQ with a window of confirms in flight."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import amqp

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.store.message import Message

__all__ = ["LARGEST", "RabbitSender"]

LARGEST: Final = 16 * 2**20
"""Bytes of a body: what RabbitMQ 4 accepts unless told otherwise."""
HEADERS_LARGEST: Final = (
    100_000  # all properties must fit into one frame of 128 KiB: RabbitMQ ends the connection that sends more
)
NAME_LARGEST: Final = 255  # an AMQP short string
NAME_SHOWN: Final = 60
ROUTING_HEADERS: Final = frozenset({"CC", "BCC"})
ANSWER_TIMEOUT: Final = 30.0


class RabbitSender:
    """Publishes on a connection of its own, at most `window` messages ahead of the broker's answers.

    A thread keeps the connection alive while nobody sends, so the next message does not find it dead.
    """

    def __init__(self, link: Link, exchange: str, *, window: int, beat: float) -> None:
        self._link = link
        self._exchange = exchange
        self._window = window
        self._lock = threading.Lock()
        self._closed = threading.Event()
        with link.guard():
            self._confirms = Confirms(link.channel)
        threading.Thread(target=self._keep_alive, args=(beat,), name="stamp-rabbitmq-heart", daemon=True).start()

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Publish; wait only while the window is full.

        Raises:
            DeliveryError: the connection failed, or the broker did not answer for 30 seconds.
        """
        with self._lock, self._link.guard():
            for parcel in parcels:
                self._post(parcel)

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait for the broker's answers to what was posted, at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed or an answer is missing.
        """
        with self._lock, self._link.guard():
            self._wait_for_answers(0, timeout)
            return self._confirms.take()

    def close(self) -> None:
        """Close the connection."""
        self._closed.set()
        with self._lock:
            self._link.close()

    def _post(self, parcel: Parcel) -> None:
        slot = self._confirms.open()
        refusal = _refusal(parcel.message)
        if refusal is not None:
            self._confirms.condemn(slot, refusal)
            return
        for exchange, key in self._places(parcel):
            self._wait_for_answers(self._window - 1, ANSWER_TIMEOUT)
            self._confirms.publish(slot, _content(parcel.message), exchange, key, mandatory=bool(parcel.queues))

    def _places(self, parcel: Parcel) -> Sequence[tuple[str, str]]:
        """Return exchanges and routing keys; the default exchange, which has no name, knows every queue by its own."""
        if parcel.again and parcel.queues:
            return [("", queue) for queue in parcel.queues]
        return ((self._exchange, parcel.message.event),)

    def _wait_for_answers(self, in_flight: int, timeout: float) -> None:
        """Wait until no more than `in_flight` messages are without an answer."""
        if not self._link.wait(lambda: self._confirms.in_flight <= in_flight, timeout):
            raise DeliveryError(
                f"no answer from the broker within {timeout:g} s for {self._confirms.in_flight} messages{self._link.trouble}; "
                "they count as not sent: connect again"
            )

    def _keep_alive(self, beat: float) -> None:
        while not self._closed.wait(beat):
            # Who holds the lock sends or waits for answers, and that keeps the connection alive as well.
            if self._lock.acquire(blocking=False):
                try:
                    self._beat()
                finally:
                    self._lock.release()

    def _beat(self) -> None:
        with suppress(DeliveryError), self._link.guard():  # the link keeps it for the next caller
            self._link.pump(0)


def _content(message: Message) -> amqp.Message:
    return amqp.Message(
        message.body,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        application_headers=dict(message.headers),
        delivery_mode=PERSISTENT,
        message_id=message.event_id.hex(),
        type=message.event,
    )


def _refusal(message: Message) -> DeliveryError | None:
    """Return why RabbitMQ would not take `message`: it would end the connection, and with it all that is on its way."""
    if len(message.body) > LARGEST:
        return _refuse(message, f"has a body of {len(message.body)} bytes, and {LARGEST} is the most")
    names = [_encode(each) for each in (message.event, *message.headers)]
    if max(map(len, names)) > NAME_LARGEST:
        return _refuse(message, f"has a name longer than {NAME_LARGEST} bytes: its own, or one of its headers'")
    if not ROUTING_HEADERS.isdisjoint(message.headers):
        return _refuse(message, "has a header CC or BCC: RabbitMQ would route by it")
    headers = sum(map(len, names)) + sum(len(_encode(each)) for each in message.headers.values())
    if headers > HEADERS_LARGEST:
        return _refuse(message, f"has {headers} bytes of headers, and {HEADERS_LARGEST} is the most")
    return None


def _refuse(message: Message, why: str) -> DeliveryError:
    return DeliveryError(
        f"RabbitMQ would not take event {message.event[:NAME_SHOWN]!r}: it {why}; keep what is large elsewhere"
    )


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # as py-amqp does
