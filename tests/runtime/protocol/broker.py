"""A broker in memory that does what real ones do on a bad day, when a test says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError, RejectedError, UnroutableError
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Arrival, Parcel, Promises

from .moments import Passing


def nothing_happens(moment: str) -> None:
    """Let a moment pass."""


@dataclass(frozen=True)
class Copy:
    """A message in one queue."""

    queue: str
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    deliveries: int = 0
    content_type: str | None = CONTENT_TYPE
    content_encoding: str | None = CONTENT_ENCODING


class SimulatedDirectory:
    """What a broker keeps of who is there; it is reached as long as the broker is up."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker

    def version(self) -> object:
        return tuple(sorted(self.read().items()))

    def read(self) -> Mapping[str, str]:
        if not self._broker.is_up:
            raise DeliveryError("nobody answers")
        return dict(self._broker.documents)

    def write(self, documents: Mapping[str, str]) -> None:
        self.read()
        self._broker.documents |= documents

    def close(self) -> None:
        pass


class SimulatedBroker:
    """Holds queues and what is unacknowledged; everything may be taken out, put in and rearranged by a test.

    `at` is called before and after each operation, and may raise a DeliveryError: then that connection is lost. `refusals` is how
    many of the next messages are refused, `rejections` how many after those are rejected for now.
    """

    address = "simulated://"

    def __init__(self, *, keeps: bool, at: Passing = nothing_happens) -> None:
        self.promises = Promises(
            keeps=keeps,
            returns=True,
            redelivers=0,
            buries=keeps,
            between_processes=True,
            largest=2**20,
        )
        self.at = at
        self.is_up = True
        self.refusals = 0
        self.rejections = 0
        self.queues: dict[str, list[Copy]] = {}
        self.buried: list[tuple[Copy, str]] = []
        self.offered: list[Parcel] = []
        self.links: list[Link] = []
        self.documents: dict[str, str] = {}

    def sender(self, topology: Topology) -> SimulatedSender:
        return SimulatedSender(self, topology)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> SimulatedReceiver:
        return SimulatedReceiver(self, topology, queues, prefetch)

    def directory(self, workflow: str) -> SimulatedDirectory:
        if not self.is_up:
            raise DeliveryError("nobody answers")
        return SimulatedDirectory(self)

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        return len(self.queues.pop(queue, []))

    @property
    def is_empty(self) -> bool:
        """Whether no queue has a message, and all that were given out are acknowledged."""
        return not any(self.queues.values()) and not any(link.out for link in self.links)

    def put(self, copy: Copy, *, first: bool = False) -> None:
        queue = self.queues.setdefault(copy.queue, [])
        queue.insert(0 if first else len(queue), copy)

    def stop(self) -> None:
        """Be gone for everybody, until `start`. What was in the queues is lost unless this broker keeps it."""
        self.is_up = False
        for link in list(self.links):
            link.end()
        if not self.promises.keeps:
            self.queues.clear()
            self.documents.clear()

    def start(self) -> None:
        self.is_up = True

    def crash(self) -> None:
        """Stop, and start again."""
        self.stop()
        self.start()


class Link:
    """A connection, which the broker can end."""

    def __init__(self, broker: SimulatedBroker, topology: Topology) -> None:
        if not broker.is_up:
            raise DeliveryError("nobody answers")
        self.broker, self.topology = broker, topology
        self.out: dict[int, Copy] = {}
        self._is_open = True
        broker.links.append(self)

    def at(self, moment: str) -> None:
        """Pass a moment, at which the connection may be lost, or have been lost already."""
        self.check()
        try:
            self.broker.at(moment)
        except DeliveryError:
            self.end()
            raise

    def check(self) -> None:
        if not self._is_open:
            raise DeliveryError("the connection is closed")

    def end(self) -> None:
        """Close: what was not acknowledged goes back to where it was."""
        self._is_open = False
        for copy in reversed(self.out.values()):
            self.broker.put(copy, first=True)
        self.out.clear()
        if self in self.broker.links:
            self.broker.links.remove(self)

    close = end


class SimulatedSender(Link):
    def __init__(self, broker: SimulatedBroker, topology: Topology) -> None:
        super().__init__(broker, topology)
        self._answers: list[DeliveryError | None] = []

    def post(self, parcels: Sequence[Parcel]) -> None:
        self.at("before post")
        self._answers += [self._post(parcel) for parcel in parcels]
        self.at("after post")

    def _post(self, parcel: Parcel) -> DeliveryError | None:
        if self.broker.refusals:
            self.broker.refusals -= 1
            return DeliveryError("there is no room")
        if self.broker.rejections:
            self.broker.rejections -= 1
            return RejectedError("there is no room now")
        self.broker.offered.append(parcel)
        queues = parcel.queues
        if not parcel.again:
            queues = tuple(queue.name for queue in self.topology.listeners(parcel.message.event))
        if parcel.queues and not queues:
            return UnroutableError("no queue takes it")
        for queue in queues:
            self.broker.put(Copy(queue, parcel.message.body, parcel.message.headers))
        return None

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        self.check()
        if self._answers:
            self.at("before confirm")
        answers, self._answers = self._answers, []
        return answers


class SimulatedReceiver(Link):
    def __init__(self, broker: SimulatedBroker, topology: Topology, queues: Sequence[str], prefetch: int) -> None:
        super().__init__(broker, topology)
        self._queues, self._prefetch = queues, prefetch
        self._next = 0

    def receive(self, timeout: float) -> Sequence[Arrival]:
        self.check()
        waiting = [queue for queue in self._queues if self.broker.queues.get(queue)]
        if not waiting:
            return []
        self.at("before receive")
        arrivals = [self._given(queue) for queue in waiting for _ in range(len(self.broker.queues[queue]))]
        self.at("after receive")
        return [each for each in arrivals if each is not None]

    def _given(self, queue: str) -> Arrival | None:
        if len(self.out) >= self._prefetch:
            return None
        copy = self.broker.queues[queue].pop(0)
        self._next += 1
        self.out[self._next] = replace(copy, deliveries=copy.deliveries + 1)
        return Arrival(
            queue=queue,
            body=copy.body,
            headers=copy.headers,
            content_type=copy.content_type,
            content_encoding=copy.content_encoding,
            deliveries=copy.deliveries + 1,
            tag=self._next,
        )

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.at("before acknowledge")
        for arrival in arrivals:
            self.out.pop(arrival.tag, None)
        self.at("after acknowledge")

    def bury(self, arrival: Arrival, reason: str) -> None:
        self.at("before bury")
        if arrival.tag in self.out:
            self.broker.buried.append((self.out.pop(arrival.tag), reason))
        self.at("after bury")
