"""Who listens to what now: by the contracts that are known here, and before them by what the steps themselves have announced."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

from sqlalchemy import Connection

from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.store import directory
from stamp.workflow.announcement import LISTENER, Announcement, listeners
from stamp.workflow.outgoing import source

__all__ = ["Listeners"]

LOG: Final = logging.getLogger("stamp.listeners")

Documents = Mapping[str, str]


class Listeners:
    """Shared by all who address events in a process. `topology` is what is known now; each reading of a directory brings it up to date.

    A step that was never announced gets what its contract says, as soon as there is one: its events wait for it.
    `announced` is what this process has told the broker, over whichever connection.
    """

    def __init__(self, contracts: Topology) -> None:
        self.topology = contracts
        self.announced: Announcement | None = None
        self._contracts: Final = contracts
        self._lock = Lock()
        self._of_store: Documents = {}
        self._of_broker: Documents = {}
        self._told: set[tuple[str, str]] = set()

    def read_store(self, connection: Connection) -> Topology:
        """Return who listens, as the transaction sees it."""
        return self._learn(of_store=directory.texts(connection, self._contracts.exchange, prefix=LISTENER))

    def read_broker(self, documents: Documents) -> Topology:
        """Return who listens, as the directory of the broker has it."""
        return self._learn(of_broker={key: text for key, text in documents.items() if key.startswith(LISTENER)})

    def has_given_up(self, queue: str) -> bool:
        """Tell whether the step of a queue has been announced to listen no more."""
        step = queue.removeprefix(f"{self._contracts.exchange}.")
        return listeners({**self._of_store, **self._of_broker}).get(step) == ()

    def warn(self, parcels: Iterable[Parcel]) -> None:
        """Log, once for each event of a step, that it goes to nobody and so ends its run, where its step does not declare that."""
        for message in (each.message for each in parcels if not each.queues):
            loose = source(message.headers), message.event
            if loose not in self._told and self.topology.is_loose_end(message.event, loose[0]):
                self._told.add(loose)
                text = "%s: nobody is known to listen to %s, and %s does not declare it as an end (ends=): runs end there until somebody listens"
                LOG.warning(text, message.workflow, message.event, loose[0], extra={"workflow_id": message.workflow_id})

    def _learn(self, *, of_store: Documents | None = None, of_broker: Documents | None = None) -> Topology:
        with self._lock:
            store = self._of_store if of_store is None else of_store
            broker = self._of_broker if of_broker is None else of_broker
            if store != self._of_store or broker != self._of_broker:
                self._of_store, self._of_broker = store, broker
                self.topology = self._contracts.with_listeners(listeners({**store, **broker}))
            return self.topology
