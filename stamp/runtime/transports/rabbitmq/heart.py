"""Keeps a connection to RabbitMQ alive while nobody uses it, so whoever uses it next does not find it dead."""

from __future__ import annotations

import threading
from contextlib import suppress

from stamp.errors import DeliveryError
from stamp.runtime.transports.rabbitmq.link import Link

__all__ = ["Heart"]


class Heart:
    """A thread that looks after `link` every `beat` seconds. Whoever uses the link holds `lock`."""

    def __init__(self, link: Link, *, beat: float) -> None:
        self.lock = threading.Lock()
        self._link = link
        self._stopped = threading.Event()
        threading.Thread(target=self._run, args=(beat,), name="stamp-rabbitmq-heart", daemon=True).start()

    def stop(self) -> None:
        """End the thread, soon, and close the connection."""
        self._stopped.set()
        with self.lock:
            self._link.close()

    def _run(self, beat: float) -> None:
        while not self._stopped.wait(beat):
            # Who holds the lock sends or waits for answers, and that keeps the connection alive as well.
            if self.lock.acquire(blocking=False):
                try:
                    self._beat()
                finally:
                    self.lock.release()

    def _beat(self) -> None:
        with suppress(DeliveryError), self._link.guard():  # the link keeps it for the next caller
            self._link.pump(0)
