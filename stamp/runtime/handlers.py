"""The calls of handlers: in the thread that asks, or for an `async def` on one event loop for the whole worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import Any, Final

from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Handlers"]

PATIENCE: Final = 1.0
"""How long to wait for what async handlers have left running, when all ends, in seconds."""


class Handlers:
    """Calls the handlers of a workflow. All that are `async def` run on one loop, so that they can share clients and pools."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._lock = Lock()
        self._loop: _Loop | None = None

    def process(
        self, step: str, body: bytes, *, attempt: int, transaction: Callable[[], Any] | None, expose_errors: bool = True
    ) -> Sequence[Outgoing]:
        """Return what `Workflow.process` does, and raise what it does."""
        if not self._workflow.steps[step].is_async:
            return self._workflow.process(
                step, body, attempt=attempt, transaction=transaction, expose_errors=expose_errors
            )
        work = self._workflow.aprocess(
            step, body, attempt=attempt, transaction=transaction, expose_errors=expose_errors
        )
        return self._running_loop().result_of(work)

    def _running_loop(self) -> _Loop:
        with self._lock:
            if self._loop is None:
                self._loop = _Loop()
            return self._loop

    def close(self) -> None:
        """End the loop, if there is one, and with it what handlers have left running on it."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._is_ready = Event()
        self._thread = Thread(target=asyncio.run, args=(self._run(),), name="stamp-loop", daemon=True)
        self._thread.start()
        self._is_ready.wait()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._is_ready.set()
        await self._over.wait()

    def result_of(self, work: Coroutine[Any, Any, Sequence[Outgoing]]) -> Sequence[Outgoing]:
        """Have the loop do `work`, and wait for what it returns or raises."""
        outcome: Future[Sequence[Outgoing]] = Future()
        asyncio.run_coroutine_threadsafe(_do(work, outcome), self._loop)
        return outcome.result()

    def close(self) -> None:
        """Cancel what is still running, and wait a moment for its end."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)


async def _do(work: Coroutine[Any, Any, Sequence[Outgoing]], outcome: Future[Sequence[Outgoing]]) -> None:
    """Tell the outcome at once, whatever it is.

    The loop would tell it after what else is ready: a handler that then waits, and the loop with it, for what this one has locked
    would never get it. And SystemExit would end the loop.
    """
    try:
        outcome.set_result(await work)
    except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
        outcome.set_exception(error)
