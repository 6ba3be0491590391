"""How one thread tells others that there is something to do."""

from __future__ import annotations

from threading import Condition

__all__ = ["Bell"]


class Bell:
    """Rings for everybody who waits, and once for each listener who was busy when it rang."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        """How often it has rung: to be read before looking for work, and given to `wait` when there was none."""
        return self._rung

    def ring(self) -> None:
        """Wake who waits."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, heard: int, timeout: float) -> None:
        """Return when it has rung more often than `heard`, or after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != heard, timeout)
