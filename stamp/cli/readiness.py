"""What `stamp run` answers when it is asked whether it is alive and ready, from its first moment on."""

from __future__ import annotations

from collections.abc import Sequence

from stamp.runtime.worker import Worker

__all__ = ["Readiness"]


class Readiness:
    """A process is alive while waiting may mend what it lacks. It is ready when it has a worker whose broker and database answer."""

    def __init__(self) -> None:
        self.waits_for = "starting"
        self.worker: Worker | None = None

    def dead(self) -> Sequence[str]:
        """Say what no waiting would mend; threads that end one after the other because we were told to stop are all right."""
        return ["it cannot go on"] if self.worker is not None and self.worker.failure is not None else []

    def troubles(self) -> Sequence[str]:
        """Say what keeps it from working now."""
        return [self.waits_for] if self.worker is None else self.worker.troubles
