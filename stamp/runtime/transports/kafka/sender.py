"""Publishes to topics."""

from __future__ import annotations

from collections.abc import Sequence

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.admission import refusal
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.line import Line
from stamp.runtime.transports.kafka.record import written
from stamp.store.message import Message

__all__ = ["KafkaSender"]


class KafkaSender:
    """Publishes a record for each queue of a parcel; a report for each one is the confirm."""

    def __init__(self, address: Address, topology: Topology, *, largest: int) -> None:
        self._topology, self._largest = topology, largest
        self._queues = {queue.name for queue in topology.queues}
        self._line = Line(address)

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Publish `parcels`. A parcel for no queue goes nowhere: nobody can have asked for it.

        Raises:
            DeliveryError: the cluster is gone.
        """
        self._line.must_be_open()
        for parcel in parcels:
            slot = self._line.open()
            refused = refusal(parcel, self._topology, self._largest)
            if refused is not None:
                self._line.condemn(slot, refused)
                continue
            for queue in parcel.queues:
                self._publish(slot, queue, parcel.message)
        self._line.producer.poll(0)

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait for the reports of what was posted, at most `timeout` seconds.

        Raises:
            DeliveryError: the cluster is gone, or a report is missing.
        """
        verdicts = self._line.wait(timeout)
        self._line.look_again()
        return verdicts

    def _publish(self, slot: int, queue: str, message: Message) -> None:
        if queue in self._queues or self._is_new(queue):
            self._line.publish(slot, queue, written(message))
        else:
            self._line.condemn(
                slot, UnroutableError(f"there is no queue {queue!r}; connect with a topology that has it")
            )

    def _is_new(self, queue: str) -> bool:
        """Tell whether there is a queue that we do not know: the producer would look for a missing one for seconds."""
        if self._line.has_topic(queue):
            self._queues.add(queue)
        return queue in self._queues

    def close(self) -> None:
        """Close the connection."""
        self._line.close()
