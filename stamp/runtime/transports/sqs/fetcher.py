"""Waits for the messages of one queue, in a thread of its own: SQS makes whoever waits for messages wait for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Condition, Thread
from typing import Any

from stamp.errors import DeliveryError
from stamp.runtime.transports.sqs.line import Line

__all__ = ["Fetcher"]


class Fetcher:
    """Fetches from `queue` as long as `room` says that there is some, and tells `arrived`.

    What comes when it is over already is given to `late`, and at the end `ended` is called. The condition guards all that is shared.
    """

    def __init__(
        self,
        line: Line,
        queue: str,
        *,
        condition: Condition,
        room: Callable[[str], int],
        arrived: Callable[[str, Sequence[Mapping[str, Any]]], None],
        late: Callable[[str, Sequence[Mapping[str, Any]]], None],
        ended: Callable[[], None],
    ) -> None:
        self._line, self._queue = line, queue
        self._condition, self._room, self._arrived, self._late, self._ended = condition, room, arrived, late, ended
        self._is_over = False
        self.failure: DeliveryError | None = None
        Thread(target=self._run, name=f"stamp-sqs-{queue}", daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop, which it does when SQS has answered; call with the condition."""
        self._is_over = True
        self._condition.notify_all()

    def _run(self) -> None:
        try:
            while (count := self._next()) > 0:
                found = self._line.receive(self._queue, count)
                with self._condition:
                    if not self._is_over:
                        self._arrived(self._queue, found)
                        continue
                self._late(self._queue, found)
        except DeliveryError as error:
            with self._condition:
                self.failure = error
                self._condition.notify_all()
        finally:
            self._ended()

    def _next(self) -> int:
        """Wait for room, and return how much there is; 0 when it is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_over or self._room(self._queue) > 0)
            return 0 if self._is_over else self._room(self._queue)
