"""A thread that takes turns, and outlives what it depends on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from stamp.errors import DeliveryError, StoreError

__all__ = ["Loop"]

LOG: Final = logging.getLogger("stamp.loop")

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""How long to wait before another try when a broker or a database does not answer, in seconds; each time twice as long."""


class Loop:
    """Calls `turn` again and again in a thread of its own.

    Between turns are `pause` seconds. A broker or a database that fails is told once, and tried until it is back. Any other error is a
    bug: it ends the loop, and `failed` is called with it. `last` is called in the same thread at the end.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], None],
        *,
        failed: Callable[[BaseException], None],
        last: Callable[[], None] = lambda: None,
        pause: float = 0.0,
    ) -> None:
        self.name = name
        self._turn, self._last, self._failed, self._pause = turn, last, failed, pause
        self._stopping = Event()
        self.trouble: str | None = None
        self._thread = Thread(target=self._run, name=f"stamp-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let the turn that is under way be the last one."""
        self._stopping.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end at most `timeout` seconds, and tell whether it is reached."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether turns are still taken."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            pause = FIRST_PAUSE
            while not self._stopping.is_set():
                pause = FIRST_PAUSE if self._succeeds(pause) else min(pause * 2, LONGEST_PAUSE)
            self._end()
        except BaseException as error:  # noqa: BLE001 - whatever it is, a worker with a dead thread must not look alive
            self._failed(error)

    def _succeeds(self, pause: float) -> bool:
        try:
            self._turn()
        except (DeliveryError, StoreError) as error:
            log = LOG.warning if str(error) != self.trouble else LOG.debug
            self.trouble = str(error)
            log("%s: %s; trying again", self.name, error)
            self._stopping.wait(pause)
            return False
        if self.trouble is not None:
            LOG.info("%s: all is well again", self.name)
            self.trouble = None
        if self._pause:
            self._stopping.wait(self._pause)
        return True

    def _end(self) -> None:
        try:
            self._last()
        except (DeliveryError, StoreError) as error:
            LOG.warning("%s: not everything could be finished, others will do it: %s", self.name, error)
