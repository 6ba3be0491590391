"""Amazon SQS as a transport."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.documents import directory_name
from stamp.runtime.transports.letters import dead
from stamp.runtime.transports.sqs.address import Address
from stamp.runtime.transports.sqs.directory import SQSDirectory
from stamp.runtime.transports.sqs.entry import LARGEST
from stamp.runtime.transports.sqs.line import Line
from stamp.runtime.transports.sqs.receiver import SQSReceiver
from stamp.runtime.transports.sqs.removal import remove
from stamp.runtime.transports.sqs.sender import SQSSender

__all__ = ["SQS"]

AGE: Final = 5.0
"""For how many seconds what was read of a directory is good enough: each look costs a request."""
NOTICE: Final = 5
"""How many seconds after its time a message is given out at the latest, as a rule."""


class SQS:
    """Amazon SQS at `url`: `sqs://region`, or `sqs://key:secret@region`. What is left out is taken from the environment, as AWS' own tools do.

    Options: `visibility`, after how many seconds without a sign of life a consumer counts as dead; `timeout`, how many seconds an answer may
    take; `prefix` of the queues' names; `profile` of AWS' configuration files; `endpoint`, where to look for it instead of at Amazon's.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)

    @property
    def address(self) -> str:
        """Where it is, without key and secret."""
        return str(self._address)

    @property
    def promises(self) -> Promises:
        """What it promises: Amazon keeps a message in several data centres before it confirms it, for 14 days at most."""
        return Promises(
            keeps=True,
            returns=True,
            redelivers=self._address.visibility + NOTICE,
            buries=True,
            between_processes=True,
            largest=LARGEST,
            directory_age=AGE,
        )

    def sender(self, topology: Topology) -> SQSSender:
        """Connect to publish.

        Raises:
            DeliveryError: nobody answers there, or refuses us. InputError: SQS has no such names of queues, or there is no region.
        """
        return SQSSender(self._line(topology), topology)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> SQSReceiver:
        """Connect to consume `queues`.

        Raises:
            DeliveryError: as for `sender`. InputError: the same.
        """
        line = self._line(topology, threads=len(queues) + 1)
        return SQSReceiver(
            line, queues, prefetch=prefetch, prefetch_bytes=prefetch_bytes, visibility=self._address.visibility
        )

    def directory(self, workflow: str) -> SQSDirectory:
        """Connect to the queue with the documents of a workflow.

        Raises:
            DeliveryError: as for `sender`. InputError: the same.
        """
        line, queue = Line(self._address), directory_name(workflow)
        line.declare(queue)
        return SQSDirectory(line, queue)

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete a queue, and return how many messages went with it, as far as SQS knows.

        Raises:
            DeliveryError: as for `sender`, or messages are in it that may not go. InputError: the same.
        """
        with closing(Line(self._address)) as line:
            return remove(line, topology, queue, discard=discard)

    def _line(self, topology: Topology, *, threads: int = 1) -> Line:
        line = Line(self._address, threads=threads)
        for queue in topology.queues:
            line.declare(dead(queue.name))
            line.declare(queue.name, dead(queue.name))
        return line
