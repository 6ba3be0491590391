"""Publishing from outside a step: the first events of runs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

from stamp.errors import DeliveryError, InputError, StoreError, UnroutableError, UnsentError
from stamp.runtime.answer import handed_in
from stamp.runtime.beginning import Note, begin, used
from stamp.runtime.outlet import deliver, parcels, post
from stamp.runtime.staff import may_lose, topology_of
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel, Sender, Transport
from stamp.store import outbox, starts
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Publisher"]

LOG: Final = logging.getLogger("stamp.publisher")

REST: Final = 5_000_000
"""After how many microseconds a worker with the same store sends again what has no receipt."""

TIMEOUT: Final = 10.0
"""How long to wait for a broker's confirm, in seconds."""


class Publisher:
    """Publishes events of a workflow: `with Publisher(ticket, store=store) as publisher: publisher.publish(ticket.start(...))`.

    Without a `broker` they go into the inboxes of their listeners in the database of `store`. With both they are written down before they are sent, so
    that workers with the same store send again what gets lost. With a broker alone, its confirm is all there is.

    When `publish` returns the events are safe; publishing one again is harmless. The id of a run is used once: with a store, a second run of
    the same id is refused.

    Raises:
        InputError: neither a broker nor a store, or a broker that may lose messages, and no store.
    """

    def __init__(self, workflow: Workflow, *, broker: Transport | None = None, store: Store | None = None) -> None:
        if broker is None and store is None:
            raise InputError("expected a broker or a store, got neither: nothing would carry the events")
        if broker is not None and store is None and not broker.promises.keeps:
            raise may_lose(broker)
        self._workflow, self._broker, self._store = workflow, broker, store
        self._topology: Final[Topology] = topology_of(workflow)
        self._sender: Sender | None = None

    def publish(self, *outgoing: Outgoing) -> Sequence[str]:
        """Publish events, all of them together, and return the ids of runs that had begun with the same event before.

        Of those nothing is published, unless it is not known to have reached its listeners. Without a store nobody knows here what has begun.

        Raises:
            InputError, WireError: one is not what `Workflow.start` or `process` has returned; nothing was published.
            UsedIdError: a run has begun with another event, or content; nothing was published.
            UnroutableError: nobody listens to one of them, and it is no declared end; nothing was published.
            UnsentError: the broker cannot be reached; they are stored, and a worker that shares the store sends them.
            DeliveryError: without a store, the same, and the broker may have some of them. Or it refuses one; with a store it is tried again.
            StoreError: the database cannot be used; nothing was sent. Publish again.
        """
        messages, now = [self._message(each) for each in outgoing], self._workflow.clock()
        if self._store is None:
            repeated = self._begun(messages, lambda _: {})
            addressed = parcels(self._topology, messages)
        else:
            with self._store.begin() as transaction:
                repeated = self._begun(messages, lambda contents: starts.put(transaction, contents, now=now))
                addressed = self._put(transaction, messages, repeated, now=now)
        if self._broker is not None and addressed:
            self._deliver(self._broker, addressed)
        return [each.workflow_id for each in repeated]

    def _message(self, outgoing: Outgoing) -> Message:
        event, ends = outgoing.event, {event for _, event in self._topology.ends}
        if event not in ends and not self._topology.listeners(event):
            text = f"expected an event that somebody listens to, got {event!r}: is a contract missing?"
            raise UnroutableError(text, path=self._workflow.name)
        return handed_in(self._workflow.name, outgoing, self._workflow.limits)

    def _begun(self, messages: Sequence[Message], note: Note) -> Sequence[Message]:
        """Note the runs that begin, and return the messages of those that had begun with them before."""
        repeated, refused = begin(messages, self._workflow.limits, note)
        if refused:
            raise used(list(dict.fromkeys(each.workflow_id for each in refused)), path=self._workflow.name)
        return repeated

    def _put(
        self, transaction: Connection, messages: Sequence[Message], repeated: Sequence[Message], *, now: int
    ) -> list[Parcel]:
        """Write down what is new, and return what is to be sent: that, and of what was written down before what may not have arrived."""
        known = {each.event_id: each for each in repeated}
        fresh = [each for each in messages if each.event_id not in known]
        if self._broker is None:
            deliver(self._topology, transaction, fresh, now=now)
            return []
        post(self._topology, transaction, fresh, now=now, rest=REST)
        late = outbox.unfinished(transaction, list(known))
        again = [Parcel(known[id_], (queue,) if queue else (), again=bool(queue)) for id_, queue in late]
        return [*parcels(self._topology, fresh), *again]

    def _deliver(self, broker: Transport, addressed: Sequence[Parcel]) -> None:
        try:
            answers = self._send(broker, addressed)
        except DeliveryError as error:
            if self._store is None:
                raise
            text = f"stored in {self._store.url} and not sent yet; a worker that shares that store sends it, or whoever publishes it again"
            raise UnsentError(f"{text}: {error}") from error
        if self._store is not None and broker.promises.keeps:
            self._finish(
                self._store, [each for each, refused in zip(addressed, answers, strict=True) if refused is None]
            )
        for refused in answers:
            if refused is not None:
                raise refused

    def _send(self, broker: Transport, addressed: Sequence[Parcel]) -> Sequence[DeliveryError | None]:
        try:
            if self._sender is None:
                self._sender = broker.sender(self._topology)
            self._sender.post(addressed)
            return self._sender.confirm(TIMEOUT)
        except BaseException:
            self.close()
            raise

    def _finish(self, store: Store, taken: Sequence[Parcel]) -> None:
        """Take out of the outbox what the broker has."""
        try:
            with store.begin() as transaction:
                outbox.finish(
                    transaction, [(each.message.event_id, queue) for each in taken for queue in each.queues or ("",)]
                )
        except StoreError as error:
            LOG.warning("published, but it could not be noted, so that it will be sent again: %s", error)

    def close(self) -> None:
        """Close the connection."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
