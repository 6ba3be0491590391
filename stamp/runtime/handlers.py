"""The calls of handlers: in the thread that asks, or for an `async def` on one event loop for the whole worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any

from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Handlers"]


class Handlers:
    """Calls the handlers of a workflow. All that are `async def` run on one loop, so that they can share clients and pools."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def process(
        self, step: str, body: bytes, *, attempt: int, transaction: Callable[[], Any] | None
    ) -> Sequence[Outgoing]:
        """Return what `Workflow.process` does, and raise what it does."""
        if not self._workflow.steps[step].is_async:
            return self._workflow.process(step, body, attempt=attempt, transaction=transaction)
        work = self._workflow.aprocess(step, body, attempt=attempt, transaction=transaction)
        return asyncio.run_coroutine_threadsafe(work, self._running_loop()).result()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                Thread(target=self._loop.run_forever, name="stamp-loop", daemon=True).start()
            return self._loop

    def close(self) -> None:
        """End the loop, if there is one."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None
