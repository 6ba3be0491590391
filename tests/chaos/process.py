"""A worker as one sees it from outside: by its process, and by the marks that it leaves."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

from setting import Orders

__all__ = ["Process"]


class Process:
    """A worker's process, which is a child of somebody else."""

    def __init__(self, pid: int, orders: Orders, folder: Path) -> None:
        self._ready, self._sleeps, self._over = (
            folder / f"{orders.name}.{mark}" for mark in ("ready", "sleeps", "over")
        )
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:  # so short a life
            self._handle = -1

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            if self._handle != -1:
                signal.pidfd_send_signal(self._handle, number)

    @property
    def is_ready(self) -> bool:
        return self._ready.exists()

    @property
    def has_fallen_asleep(self) -> bool:
        """Whether it has stopped itself, now or earlier."""
        return self._sleeps.exists()

    @property
    def has_ended(self) -> bool:
        return self._handle == -1 or bool(select.select([self._handle], [], [], 0)[0])

    @property
    def last_word(self) -> str:
        """What it said when it ended; nothing if it was killed."""
        return self._over.read_text() if self._over.exists() else ""

    def close(self) -> None:
        if self._handle != -1:
            os.close(self._handle)
