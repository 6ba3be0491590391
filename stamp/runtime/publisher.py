"""Publishing from outside a step: the first events of runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

from stamp.errors import DeliveryError, InputError, RejectedError, StoreError, UnroutableError, UnsentError
from stamp.runtime.answer import handed_in
from stamp.runtime.beginning import Note, begin, used
from stamp.runtime.directory import StoreDirectory, announce
from stamp.runtime.listeners import Listeners
from stamp.runtime.outlet import deliver, parcels, post
from stamp.runtime.staff import may_lose, topology_of
from stamp.runtime.tracking import TrackingSender
from stamp.runtime.transport import Parcel, Sender, Transport
from stamp.store import outbox, starts
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.workflow.announcement import Announcement, announcement
from stamp.workflow.outgoing import Outgoing, source
from stamp.workflow.workflow import Workflow

__all__ = ["Publisher"]

LOG: Final = logging.getLogger("stamp.publisher")

REST: Final = 5_000_000
"""After how many microseconds a worker with the same store sends again what has no receipt."""

TIMEOUT: Final = 10.0
"""How long to wait for a broker's confirm, in seconds."""

PAUSES: Final = (0.1, 0.3, 0.9)
"""Seconds to wait before what the broker rejects is sent again: a queue that was declared a moment ago may not be ready."""


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
        self._listeners: Final = Listeners(topology_of(workflow))
        self._announcement = Announcement()
        self._announced: set[str] = set()
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
        name, now = self._workflow.name, self._workflow.clock()
        messages = [handed_in(name, each, self._workflow.limits) for each in outgoing]
        self._announce({source(each.headers) for each in messages})
        if self._store is None:
            self._check_listeners(messages)
            repeated = self._begun(messages, lambda _: {})
            addressed = parcels(self._listeners.topology, messages)
        else:
            with self._store.begin() as transaction:
                self._listeners.read_store(transaction)
                self._check_listeners(messages)
                repeated = self._begun(messages, lambda contents: starts.put(transaction, contents, now=now))
                addressed = self._put(transaction, messages, repeated, now=now)
        if self._broker is not None and addressed:
            self._deliver(self._broker, addressed)
        return [each.workflow_id for each in repeated]

    def _announce(self, steps: set[str]) -> None:
        """Tell the others what these steps write, before they publish for the first time here."""
        new = (steps & self._workflow.steps.keys()) - self._announced
        if not new:
            return
        self._announcement |= announcement(self._workflow, new)
        if self._store is not None:
            announce(StoreDirectory(self._store, self._workflow.name, self._workflow.clock), self._announcement)
        self.close()  # the next connection announces them to the broker
        self._announced |= new

    def _check_listeners(self, messages: Sequence[Message]) -> None:
        if self._broker is not None and self._sender is None and any(map(self._is_unheard, messages)):
            self._connect(self._broker)  # whoever was announced there is known then
        for each in filter(self._is_unheard, messages):
            text = f"expected an event that somebody listens to, got {each.event!r}: is a contract missing?"
            raise UnroutableError(text, path=self._workflow.name)

    def _is_unheard(self, message: Message) -> bool:
        topology = self._listeners.topology
        is_declared = (source(message.headers), message.event) in topology.ends
        return not is_declared and not topology.listeners(message.event)

    def _connect(self, broker: Transport) -> Sender:
        if self._sender is None:
            self._sender = TrackingSender(broker, self._listeners, lambda: self._announcement, every_time=True)
        return self._sender

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
            deliver(self._listeners, transaction, fresh, now=now)
            return []
        post(self._listeners, transaction, fresh, now=now, rest=REST)
        late = outbox.unfinished(transaction, list(known))
        again = [Parcel(known[id_], (queue,) if queue else (), again=bool(queue)) for id_, queue in late]
        return [*parcels(self._listeners.topology, fresh), *again]

    def _deliver(self, broker: Transport, addressed: Sequence[Parcel]) -> None:
        """Send messages, and note which have arrived.

        When the broker goes away while what it rejected is sent again, all of them count as unsent: what comes twice is known by its id.
        """
        try:
            answers = self._send(broker, addressed)
            for pause in PAUSES:
                answers = self._send_rejected(broker, addressed, answers, pause)
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
            sender = self._connect(broker)
            sender.post(addressed)
            return sender.confirm(TIMEOUT)
        except BaseException:
            self.close()
            raise

    def _send_rejected(
        self, broker: Transport, addressed: Sequence[Parcel], answers: Sequence[DeliveryError | None], pause: float
    ) -> Sequence[DeliveryError | None]:
        """Send what was rejected again after `pause` seconds, and return the answers to all of it."""
        rejected = [index for index, answer in enumerate(answers) if isinstance(answer, RejectedError)]
        if not rejected:
            return answers
        time.sleep(pause)
        later = dict(zip(rejected, self._send(broker, [addressed[each] for each in rejected]), strict=True))
        return [later.get(index, answer) for index, answer in enumerate(answers)]

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
