"""Kafka as a transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.directory import KafkaDirectory
from stamp.runtime.transports.kafka.receiver import KafkaReceiver
from stamp.runtime.transports.kafka.record import LARGEST
from stamp.runtime.transports.kafka.removal import remove
from stamp.runtime.transports.kafka.sender import KafkaSender
from stamp.runtime.transports.kafka.topics import declare

__all__ = ["Kafka"]

REBALANCE: Final = 10.0
"""How long a group takes to share out what a dead member had, in seconds."""


class Kafka:
    """A cluster at `url`: `kafka://user:password@host1:9092,host2:9092?replication=3`, or `kafkas://` for TLS.

    Options: `replication`, `insync`, `partitions`, `retention` (days) of topics that are made here; `create=no` and `check=no`, when somebody else
    makes and checks them; `session`, after how many seconds without a sign of life a consumer counts as dead; `timeout`, how many seconds
    an answer may take; `group`, how the names of consumer groups begin; `sasl`, how to log in (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512); and
    settings of librdkafka, which have a dot in their names, such as `ssl.ca.location`.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)

    @property
    def address(self) -> str:
        """Where it is, without user and password."""
        return str(self._address)

    @property
    def promises(self) -> Promises:
        """What it promises.

        It keeps what two brokers at least have confirmed (`insync`), which is looked up in the topics: Kafka does not wait for its disks, so a
        single one may lose the last messages with its machine. Receipts in the store heal that.
        """
        return Promises(
            keeps=self._address.insync > 1,
            returns=True,
            redelivers=self._address.session + REBALANCE,
            buries=True,
            between_processes=True,
            largest=LARGEST,
        )

    def sender(self, topology: Topology) -> KafkaSender:
        """Connect to publish.

        Raises:
            DeliveryError: nobody answers there, it refuses us, or a topic would lose what it confirms. InputError: librdkafka does not know an option.
        """
        self._declare(topology)
        return KafkaSender(self._address, topology, largest=LARGEST)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> KafkaReceiver:
        """Connect to consume `queues`.

        Raises:
            DeliveryError: as for `sender`. InputError: the same.
        """
        self._declare(topology)
        return KafkaReceiver(self._address, queues, prefetch=prefetch, prefetch_bytes=prefetch_bytes)

    def directory(self, workflow: str) -> KafkaDirectory:
        """Connect to the topic with the documents of a workflow.

        Raises:
            DeliveryError: as for `sender`. InputError: the same.
        """
        return KafkaDirectory(self._address, workflow)

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete the topic of a queue, and return how many of its messages were not done.

        Raises:
            DeliveryError: as for `sender`, or messages wait in it and `discard` is not set, or somebody consumes it. InputError: the same.
        """
        return remove(self._address, topology, queue, discard=discard)

    def _declare(self, topology: Topology) -> None:
        declare(self._address, [queue.name for queue in topology.queues])
