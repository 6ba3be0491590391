"""Tells the other services of a workflow what the steps of this process write, and what they listen to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from threading import Lock
from time import monotonic
from typing import Final

from stamp.runtime.directory import StoreDirectory, announce, restore
from stamp.store import directory
from stamp.store.store import Store
from stamp.workflow.announcement import LISTENER, Announcement, announcement, listener_document
from stamp.workflow.workflow import Workflow

__all__ = ["Announcer"]

RENEWAL: Final = 60.0
"""How often, in seconds, the listeners in a store are announced again: so that it shows who is there."""


class Announcer:
    """Shared by all threads of a worker. `steps` are those that are performed here."""

    def __init__(self, workflow: Workflow, steps: Iterable[str], store: Store | None) -> None:
        self._workflow, self._steps, self._store = workflow, tuple(steps), store
        self._lock = Lock()
        self._renewed_at: float | None = None

    @cached_property
    def announcement(self) -> Announcement:
        """What is announced."""
        found = announcement(self._workflow, self._steps)
        for step in self._steps:
            found |= Announcement(listener_document(step, self._workflow.steps[step].on))
        return found

    @property
    def is_waiting(self) -> bool:
        """Whether there is a store that does not have it yet."""
        return self._store is not None and self._renewed_at is None

    def announce_in_store(self) -> None:
        """Write into the store what is announced; the first time, that is.

        Raises:
            StoreError: the database cannot be used.
        """
        if self._renewed_at is None and self._store is not None:
            with self._lock:
                if self._renewed_at is None:
                    announce(self._directory(self._store), self.announcement)
                    self._renewed_at = monotonic()

    def renew(self) -> None:
        """From time to time, note in the store that the listeners are still there, and write again what got lost.

        Raises:
            StoreError: the database cannot be used.
        """
        if self._store is None or self._renewed_at is None or monotonic() - self._renewed_at < RENEWAL:
            return
        self._renewed_at = monotonic()
        restore(self._directory(self._store), self.announcement)
        with self._store.begin() as tx:
            own = [key for key in self.announcement.documents if key.startswith(LISTENER)]
            directory.touch(tx, self._workflow.name, own, now=self._workflow.clock())

    def _directory(self, store: Store) -> StoreDirectory:
        return StoreDirectory(store, self._workflow.name, self._workflow.clock)
