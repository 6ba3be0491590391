"""What a broker must do for stamp: few verbs, because work, repeats, attempts and rests are the store's.

A broker only carries. A message is acknowledged when it is in a store's inbox, so a transport has to give it out again until then,
and may do so more often; it need not delay, count or order. What it promises beyond that it declares, and the contract suite holds
it to that.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from stamp.errors import DeliveryError
from stamp.runtime.outside import named, texts
from stamp.runtime.topology import Topology
from stamp.store.message import Message

__all__ = ["PREFETCH_BYTES", "Arrival", "Directory", "Parcel", "Promises", "Receiver", "Sender", "Transport"]

PREFETCH_BYTES: Final = 32 * 2**20
"""Bytes of messages that a receiver holds unless told otherwise: two of the largest that a sender takes, or 128 as large as an envelope may be."""


class Parcel(NamedTuple):
    """A message, and the queues that it is for.

    No queues: nobody listens to it, so nobody has to take it, and a broker that knows topics offers it to whoever listens. `again`: it was sent before,
    and only these queues may not have it.
    """

    message: Message
    queues: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message as it came, from whomever: nothing in it has been looked at.

    Of its `headers` only text is kept, and of everything no more than `stamp.runtime.outside` has room for. If the outside of the message cannot be
    read there is none of it, and `unreadable` says why. `deliveries` counts from 1 how often the broker gave it out, where it counts.
    `tag` is the transport's own.
    """

    queue: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    content_encoding: str | None = None
    unreadable: str | None = None
    deliveries: int = 1
    tag: Any = None

    def __post_init__(self) -> None:
        """Hold every transport to the same: what a client library gives out may be anything."""
        object.__setattr__(self, "headers", texts(self.headers))
        object.__setattr__(self, "content_type", named(self.content_type))
        object.__setattr__(self, "content_encoding", named(self.content_encoding))

    @property
    def size(self) -> int:
        """Bytes of it that are in memory, roughly."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers.items())


class Sender(Protocol):
    """Publishes, on a connection of its own. Used by one thread at a time."""

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Hand messages to the broker, without waiting for what it says of them.

        Raises:
            DeliveryError: the connection failed. Whatever is not confirmed counts as not sent, and this sender is of no use any more.
        """

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait until the broker has answered for everything that was posted since the last call, and say for each what is wrong.

        `timeout` is in seconds.

        Raises:
            DeliveryError: the connection failed or no answer came in time; as for `post`.
        """

    def close(self) -> None:
        """Close the connection; one that has failed, too."""


class Receiver(Protocol):
    """Consumes some queues, on a connection of its own. Used by one thread, which calls it again and again: that keeps the connection alive."""

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return what has arrived, waiting for the first message at most `timeout` seconds.

        Never more messages than `prefetch` are unacknowledged, and no more come as long as those have `prefetch_bytes` or more.

        Raises:
            DeliveryError: the connection failed. What is not acknowledged comes again, to whoever consumes then.
        """

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Say that the broker need not keep these any longer.

        Raises:
            DeliveryError: as for `receive`.
        """

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Put a message, with its body as it came, into the dead letter queue of its queue, and acknowledge it. For workers without a store.

        Raises:
            DeliveryError: as for `receive`, or the transport has no dead letter queues.
        """

    def close(self) -> None:
        """Close the connection; what is not acknowledged goes back."""


class Directory(Protocol):
    """Small documents of one workflow that a broker or a store keeps for whoever asks: contracts and listeners of its services.

    What they say is in `stamp.workflow.announcement`. Documents are text of at most `MAX_FILE` bytes in UTF-8, keys are short ASCII.
    Used by one thread at a time.
    """

    def version(self) -> Hashable:
        """Return a value that is another one after every change, for whoever has read the documents: cheaper than reading them again.

        Raises:
            DeliveryError: the connection failed; this directory is of no use any more.
        """

    def read(self) -> Mapping[str, str]:
        """Return all documents by their keys. Documents written before this call are among them.

        Raises:
            DeliveryError: as for `version`.
        """

    def write(self, documents: Mapping[str, str]) -> None:
        """Keep documents, each in place of the earlier one of its key. They are there for every reader when this returns.

        Raises:
            DeliveryError: as for `version`, or the broker refuses them. Some may have been written: write again.
        """

    def close(self) -> None:
        """Close the connection; one that has failed, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What a transport promises; each is a test of the contract suite, and a column of the table in the docs.

    `keeps`: what was confirmed survives the death of the broker, so a confirm is as good as a receipt. `returns`: an event that no
    queue takes is refused. `redelivers`: within how many seconds a message comes again after its consumer died. `buries`: it has dead
    letter queues of its own. `between_processes`: publisher and consumer need not share a process. `orders`: what one sender posted of
    one run comes to the only receiver of a queue in that order, as long as nothing comes again. `largest`: bytes of a body. `routes`: the
    broker itself knows who listens, so a queue that was declared later gets the next event whatever its sender knows. `directory_age`: for
    how many seconds a sender may go on with what it has read of the directory; 0 where asking costs little.
    """

    keeps: bool
    returns: bool
    redelivers: float | None
    buries: bool
    between_processes: bool
    orders: bool = True
    largest: int
    routes: bool = False
    directory_age: float = 0.0


class Transport(Protocol):
    """A broker at an address."""

    @property
    def promises(self) -> Promises:
        """What it promises."""

    @property
    def address(self) -> str:
        """Where it is, without a password: for messages and logs."""

    def sender(self, topology: Topology) -> Sender:
        """Connect to publish; declares the exchange and every queue of `topology`, whoever consumes them.

        Raises:
            DeliveryError: nobody answers there, or refuses us.
        """

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> Receiver:
        """Connect to consume `queues`, names of `topology`; declares them, too.

        Raises:
            DeliveryError: as for `sender`.
        """

    def directory(self, workflow: str) -> Directory:
        """Connect to the directory of a workflow; it is created if it is not there.

        Raises:
            DeliveryError: as for `sender`.
        """

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete a queue of `topology` that nobody consumes any more, with its bindings, and return how many messages went with it.

        Its dead letter queue stays. A queue that is not there is no error.

        Raises:
            DeliveryError: as for `sender`, or messages wait in it and `discard` is not set, or somebody consumes it.
        """
