"""Publishes to queues of SQS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.admission import refusal
from stamp.runtime.transports.sqs.entry import LARGEST, size, written
from stamp.runtime.transports.sqs.line import BATCH, Line

__all__ = ["SQSSender"]

FULL: Final = 2**20
"""Bytes of a batch: as many as of a message."""


class _Posted(NamedTuple):
    """A message for one queue, and the number of its parcel."""

    number: int
    entry: Mapping[str, Any]
    size: int


class SQSSender:
    """Sends in batches of ten. SQS answers to what it is asked, so nothing is under way before `confirm`."""

    def __init__(self, line: Line, topology: Topology) -> None:
        self._line = line
        self._topology = topology
        self._verdicts: list[DeliveryError | None] = []
        self._posted: dict[str, list[_Posted]] = defaultdict(list)

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Take `parcels`. One for no queue goes nowhere: nobody can have asked for it.

        Raises:
            DeliveryError: this sender is closed.
        """
        self._line.must_be_open()
        for parcel in parcels:
            self._verdicts.append(refusal(parcel, self._topology, LARGEST))
            if self._verdicts[-1] is None:
                self._put(parcel)

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Send what was posted, for at most `timeout` seconds and the time that one answer may take.

        Raises:
            DeliveryError: the connection failed, or there was no time to send all.
        """
        self._line.must_be_open()
        until = monotonic() + timeout
        verdicts, self._verdicts = self._verdicts, []
        posted, self._posted = self._posted, defaultdict(list)
        for queue, items in posted.items():
            for batch in _batches(items):
                if monotonic() >= until:
                    self._line.close()
                    raise DeliveryError(
                        f"no time to send all of {len(verdicts)} messages; they count as not sent: connect again"
                    )
                for each, verdict in zip(batch, self._line.send(queue, [each.entry for each in batch]), strict=True):
                    verdicts[each.number] = verdicts[each.number] or verdict
        return verdicts

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _put(self, parcel: Parcel) -> None:
        number = len(self._verdicts) - 1
        entry = written(parcel.message) if parcel.queues else {}
        length = size(entry) if entry else 0
        for queue in parcel.queues:
            if not self._line.knows(queue):
                self._verdicts[number] = UnroutableError(
                    f"there is no queue {queue!r}; connect with a topology that has it"
                )
            elif length > FULL:
                self._verdicts[number] = DeliveryError(
                    f"event {parcel.message.event!r} has {length} bytes in base64 and with its headers, and SQS takes {FULL}"
                )
            else:
                self._posted[queue].append(_Posted(number, entry, length))


def _batches(items: Sequence[_Posted]) -> Iterator[list[_Posted]]:
    """Cut `items` so that SQS takes each part at once."""
    batch: list[_Posted] = []
    for each in items:
        if len(batch) == BATCH or sum(other.size for other in batch) + each.size > FULL:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch
