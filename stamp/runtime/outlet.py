"""Where answers go, in the transaction in which the work is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from stamp.runtime import conflict
from stamp.runtime.listeners import Listeners
from stamp.runtime.relay import Relay
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.store import finals, outbox
from stamp.store.message import Message
from stamp.workflow.outgoing import source

__all__ = ["Local", "Outlet", "Posted", "deliver", "parcels", "post"]


def parcels(topology: Topology, messages: Sequence[Message]) -> list[Parcel]:
    """Return each message with the queues of all who listen to it."""
    return [Parcel(each, tuple(queue.name for queue in topology.listeners(each.event))) for each in messages]


def deliver(listeners: Listeners, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
    """Put each message into the inbox of everybody who listens to it now, and one that ends a run among the final events."""
    topology = listeners.read_store(transaction)
    addressed = parcels(topology, messages)
    listeners.warn(addressed)
    entries = [(queue, parcel.message) for parcel in addressed for queue in parcel.queues]
    conflict.put(transaction, entries, now=now)
    _put_finals(topology, transaction, messages, now=now)


def post(listeners: Listeners, transaction: Connection, messages: Sequence[Message], *, now: int, rest: int) -> None:
    """Put each message into the outbox, once for everybody who is known to listen to it, to be sent again after `rest` microseconds.

    One that ends a run is among the final events, too; without listeners it goes out all the same, for whoever is interested.
    """
    topology = listeners.read_store(transaction)
    addressed = parcels(topology, messages)
    listeners.warn(addressed)
    entries = [(parcel.message, queue) for parcel in addressed for queue in parcel.queues or ("",)]
    outbox.put(transaction, entries, now=now, resend_at=now + rest)
    _put_finals(topology, transaction, messages, now=now)


def _put_finals(topology: Topology, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
    ends = [each for each in messages if topology.is_end(each.event, source(each.headers))]
    if ends:
        finals.put(transaction, ends, now=now)


class Outlet(Protocol):
    """Takes the answers of a group of works."""

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Write down what is to reach whom, to be committed with the works; `now` is in microseconds since 1970 UTC."""

    def committed(self, messages: Sequence[Message]) -> None:
        """Get on with it: the transaction is committed."""

    @property
    def has_room(self) -> bool:
        """Whether new work should be taken at all."""


class Local:
    """Who listens takes its work from the same database: an answer is in the listeners' inboxes when the work is done."""

    has_room = True

    def __init__(self, listeners: Listeners, ring: Callable[[], None]) -> None:
        self._listeners, self._ring = listeners, ring

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Deliver the answers."""
        deliver(self._listeners, transaction, messages, now=now)

    def committed(self, messages: Sequence[Message]) -> None:
        """Wake who may be waiting for it in this process; others look by themselves."""
        if messages:
            self._ring()


class Posted:
    """A broker carries the answers. They wait in the outbox until who listens has them, or the broker has taken them over for good."""

    def __init__(self, listeners: Listeners, relay: Relay, *, rest: int) -> None:
        self._listeners, self._relay, self._rest = listeners, relay, rest

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Post the answers."""
        post(self._listeners, transaction, messages, now=now, rest=self._rest)

    def committed(self, messages: Sequence[Message]) -> None:
        """Have them sent."""
        if messages:
            self._relay.hand(parcels(self._listeners.topology, messages))

    @property
    def has_room(self) -> bool:
        """Whether the relay keeps up."""
        return self._relay.has_room
