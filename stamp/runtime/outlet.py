"""Where answers go, in the transaction in which the work is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.store import finals, inbox, outbox
from stamp.store.message import Message

__all__ = ["Local", "Outlet", "Posted"]


class Outlet(Protocol):
    """Takes the answers of a group of works."""

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Write down what is to reach whom, to be committed with the works; `now` is in microseconds since 1970 UTC."""

    def committed(self, messages: Sequence[Message]) -> None:
        """Get on with it: the transaction is committed."""


class Local:
    """Who listens takes its work from the same database: an answer is in the listeners' inboxes when the work is done."""

    def __init__(self, topology: Topology, ring: Callable[[], None]) -> None:
        self._topology, self._ring = topology, ring

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Put each message into the inbox of everybody who listens to it, or among the final events."""
        entries = [(queue.name, each) for each in messages for queue in self._topology.listeners(each.event)]
        if entries:
            inbox.put(transaction, entries, now=now)
        _put_finals(self._topology, transaction, messages, now=now)

    def committed(self, messages: Sequence[Message]) -> None:
        """Wake who may be waiting for it in this process; others look by themselves."""
        if messages:
            self._ring()


class Posted:
    """A broker carries the answers. They wait in the outbox until who listens has them, or the broker has taken them over for good.

    `hand` takes parcels that are to be sent now; one that gets lost on the way is sent again after `rest` microseconds.
    """

    def __init__(self, topology: Topology, hand: Callable[[Sequence[Parcel]], None], *, rest: int) -> None:
        self._topology, self._hand, self._rest = topology, hand, rest

    def put(self, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
        """Put a message for each listener into the outbox; one that nobody listens to goes out too, for whoever is interested."""
        entries = [(each, queue) for each in messages for queue in self._queues(each) or ("",)]
        if entries:
            outbox.put(transaction, entries, now=now, resend_at=now + self._rest)
        _put_finals(self._topology, transaction, messages, now=now)

    def committed(self, messages: Sequence[Message]) -> None:
        """Have the messages sent."""
        if messages:
            self._hand([Parcel(each, self._queues(each)) for each in messages])

    def _queues(self, message: Message) -> tuple[str, ...]:
        return tuple(queue.name for queue in self._topology.listeners(message.event))


def _put_finals(topology: Topology, transaction: Connection, messages: Sequence[Message], *, now: int) -> None:
    ends = [each for each in messages if not topology.listeners(each.event)]
    if ends:
        finals.put(transaction, ends, now=now)
