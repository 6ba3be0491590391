"""Deletes queues, when nothing is lost by that as far as SQS knows: its numbers may be a minute old."""

from __future__ import annotations

from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transports.removal import consumed, filled
from stamp.runtime.transports.sqs.line import BATCH, Line

__all__ = ["remove"]

HELD: Final = "ApproximateNumberOfMessagesNotVisible"
WAITING: Final = "ApproximateNumberOfMessages"


def remove(line: Line, topology: Topology, queue: str, *, discard: bool) -> int:
    """Delete a queue in which no message is held or waits; return how many waited.

    Raises:
        DeliveryError: the connection failed, or messages are in it that may not go.
    """
    if not line.knows(queue):
        return 0
    numbers = line.attributes(queue, HELD, WAITING)
    if int(numbers[HELD]):
        raise consumed(topology, queue)
    waiting = int(numbers[WAITING]) or len(line.receive(queue, BATCH, visibility=1, wait=1))
    if waiting and not discard:
        raise filled(topology, queue, waiting)
    refused = line.call("delete_queue", queue)
    if isinstance(refused, DeliveryError):
        raise refused
    return waiting
