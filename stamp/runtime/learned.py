"""Schemas that a worker has found at its broker, on their way into its store."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from stamp.runtime.transport import Directory

__all__ = ["Learned"]


class Learned:
    """Keeps documents in `target`, later: whoever finds one may be within a transaction of that database, and SQLite has one writer at a time.

    `note` may be called by any thread, `turn` belongs to one.
    """

    def __init__(self, target: Directory) -> None:
        self._target = target
        self._lock = Lock()
        self._documents: dict[str, str] = {}

    def note(self, documents: Mapping[str, str]) -> None:
        """Note what is to be kept."""
        with self._lock:
            self._documents |= documents

    def turn(self) -> None:
        """Keep what was noted.

        Raises:
            StoreError: the database cannot be used; it is tried again.
        """
        with self._lock:
            documents = dict(self._documents)
        if documents:
            self._target.write(documents)
            with self._lock:
                for key in documents:
                    del self._documents[key]
