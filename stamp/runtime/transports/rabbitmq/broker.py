"""RabbitMQ as a transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stamp.errors import InputError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Promises
from stamp.runtime.transports.rabbitmq.address import public
from stamp.runtime.transports.rabbitmq.graveyard import RabbitGraveyard
from stamp.runtime.transports.rabbitmq.layout import declare
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.receiver import RabbitReceiver
from stamp.runtime.transports.rabbitmq.sender import LARGEST, RabbitSender

__all__ = ["RabbitMQ"]

HEARTBEAT: Final = 10
WINDOW: Final = 100


class RabbitMQ:
    """A RabbitMQ at `url`, `amqp://user:password@host:port/virtual-host`; several with `;` between them are tried in turn.

    `heartbeat`: seconds; after two of them without a sign of life a connection is given up. `window`: how many messages a sender may be
    ahead of the broker's confirms.

    Raises:
        InputError: `url` is none, or a number is not positive.
    """

    def __init__(self, url: str, *, heartbeat: int = HEARTBEAT, window: int = WINDOW) -> None:
        if heartbeat < 1 or window < 1:
            raise InputError(f"expected a heartbeat and a window of 1 or more, got {heartbeat} s and {window} messages")
        self._url = url
        self._address = public(url)
        self._heartbeat = heartbeat
        self._window = window

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return self._address

    @property
    def promises(self) -> Promises:
        """What it promises; a killed consumer is noticed at once, a machine that vanished after some heartbeats."""
        return Promises(
            keeps=True,
            returns=True,
            redelivers=3 * self._heartbeat,
            buries=True,
            between_processes=True,
            largest=LARGEST,
        )

    def sender(self, topology: Topology) -> RabbitSender:
        """Connect to publish.

        Raises:
            DeliveryError: nobody answers, we are refused, or a queue of that name has other properties.
        """
        link = self._link(topology)
        return RabbitSender(link, topology.exchange, window=self._window, beat=self._heartbeat / 4)

    def receiver(self, topology: Topology, queues: Sequence[str], *, prefetch: int) -> RabbitReceiver:
        """Connect to consume `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return RabbitReceiver(self._link(topology), queues, prefetch=prefetch)

    def graveyard(self, queues: Sequence[str]) -> RabbitGraveyard:
        """Open the dead letter queues of `queues`.

        Raises:
            DeliveryError: nobody answers there, or we are refused.
        """
        return RabbitGraveyard(self._connect(), self._address, queues)

    def _connect(self) -> Link:
        return Link(self._url, self._address, heartbeat=self._heartbeat)

    def _link(self, topology: Topology) -> Link:
        link = self._connect()
        with link.guard():
            declare(link.channel, topology)
        return link
