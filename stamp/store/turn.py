"""Turns with a database that has only one connection."""

from __future__ import annotations

from threading import Lock, get_ident
from typing import Final

from stamp.errors import StoreError

__all__ = ["Turn"]

PATIENCE: Final = 30.0
"""How long to wait for the others, in seconds; as long as for a file that somebody else writes to."""


class Turn:
    """A context that one has at a time. It may be entered in one thread and left in another: a handler on an event loop begins what its worker ends.

    Raises:
        StoreError: the thread that wants a turn has one that would never end, or somebody takes too long.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        if self._owner == get_ident():
            raise StoreError("expected one transaction after the other of a database in memory, got one within another")
        if not self._lock.acquire(timeout=PATIENCE):
            raise StoreError(f"the database in memory was in use for more than {PATIENCE:g} s")
        self._owner = get_ident()

    def __exit__(self, *exc: object) -> None:
        self._owner = None
        self._lock.release()
