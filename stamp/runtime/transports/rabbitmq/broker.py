"""RabbitMQ as a transport."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.rabbitmq.address import Address
from stamp.runtime.transports.rabbitmq.directory import RabbitDirectory
from stamp.runtime.transports.rabbitmq.graveyard import RabbitGraveyard
from stamp.runtime.transports.rabbitmq.layout import declare, delete_queue
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.receiver import RabbitReceiver
from stamp.runtime.transports.rabbitmq.sender import LARGEST, RabbitSender

__all__ = ["RabbitMQ"]

NOT_YET: Final = ("does not have a replica on the local node", "INTERNAL_ERROR")
"""What RabbitMQ says of a queue or stream that somebody else is just declaring."""
PAUSES: Final = (0.1, 0.2, 0.4, 0.8)
"""How long to wait before it is declared again, in seconds."""

Declared = TypeVar("Declared")

AT_LEISURE: Final = 60
"""The heartbeat, in seconds, of a connection on which a person may think about what it has shown."""


class RabbitMQ:
    """A RabbitMQ at `url`: `amqp://user:password@host:5672/virtual-host?heartbeat=10`, or `amqps://` for TLS.

    Several URLs with `;` between them are the nodes of a cluster, tried in that order; the options of the first one count. `heartbeat`: seconds,
    after two of which without a sign of life a connection is given up. `window`: how many messages a sender may be ahead of the broker's
    confirms, 100 by default. `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile` are paths.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        self._addresses = Address.parse(url)
        self._first = self._addresses[0]

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return ";".join(map(str, self._addresses))

    @property
    def promises(self) -> Promises:
        """What it promises; a killed consumer is noticed at once, a machine that vanished after some heartbeats."""
        return Promises(
            keeps=True,
            returns=True,
            redelivers=3.0 * self._first.heartbeat,
            buries=True,
            between_processes=True,
            largest=LARGEST,
            routes=True,
        )

    def sender(self, topology: Topology) -> RabbitSender:
        """Connect to publish.

        Raises:
            DeliveryError: nobody answers, we are refused, or a queue of that name has other properties.
        """
        return RabbitSender(self._link(topology), topology.exchange, window=self._first.window, beat=self._beat)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> RabbitReceiver:
        """Connect to consume `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return RabbitReceiver(self._link(topology), queues, prefetch=prefetch, prefetch_bytes=prefetch_bytes)

    def graveyard(self, queues: Sequence[str]) -> RabbitGraveyard:
        """Open the dead letter queues of `queues`.

        Raises:
            DeliveryError: nobody answers there, or we are refused.
        """
        at_leisure = [replace(each, heartbeat=max(each.heartbeat, AT_LEISURE)) for each in self._addresses]
        return RabbitGraveyard(Link(at_leisure), self.address, queues)

    def directory(self, workflow: str) -> RabbitDirectory:
        """Connect to the stream with the documents of a workflow.

        Raises:
            DeliveryError: as for `sender`, or this broker has no streams.
        """
        return _declared(lambda: RabbitDirectory(Link(self._addresses), workflow, beat=self._beat))

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete a queue that nobody consumes any more; its bindings go with it.

        Raises:
            DeliveryError: as for `sender`, or messages wait in it and `discard` is not set, or somebody consumes it.
        """
        link = Link(self._addresses)
        try:
            with link.guard():
                return delete_queue(link.channel, topology, queue, discard=discard)
        finally:
            link.close()

    @property
    def _beat(self) -> float:
        return self._first.heartbeat / 4

    def _link(self, topology: Topology) -> Link:
        return _declared(lambda: self._declare(topology))

    def _declare(self, topology: Topology) -> Link:
        link = Link(self._addresses)
        with link.guard():
            declare(link.channel, topology)
        return link


def _declared(declare_all: Callable[[], Declared]) -> Declared:
    """Declare on a connection, and on another one when somebody else was just declaring the same."""
    for pause in PAUSES:
        try:
            return declare_all()
        except DeliveryError as error:
            if not any(text in str(error) for text in NOT_YET):
                raise
        time.sleep(pause)
    return declare_all()
