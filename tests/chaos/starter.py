"""Starts the runs, some of them more than once, whatever the weather."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Final

from expected import Run

from stamp import Workflow
from stamp.errors import DeliveryError, StoreError
from stamp.runtime.publisher import Publisher
from stamp.runtime.transport import Transport
from stamp.store.store import Store
from stamp.workflow.outgoing import Outgoing

__all__ = ["Starter"]

TOGETHER: Final = 10
TWICE: Final = 0.05
"""How many first events are published together, and which share of them again: with the next ones, and at the end."""


class Starter(threading.Thread):
    """Starts runs up to the number that `allow` says."""

    def __init__(
        self, workflow: Workflow, runs: Sequence[Run], *, store: Store, broker: Transport | None, seed: int
    ) -> None:
        super().__init__(name="starter", daemon=True)
        self._workflow, self._runs, self._store, self._broker = workflow, runs, store, broker
        self._dice = Random(f"{seed}:starter")
        self._allowed = 0
        self._more = threading.Event()
        self._again: list[Outgoing] = []
        self._repeats: list[Outgoing] = []
        self.is_done = False
        self.started = 0
        self.failure: BaseException | None = None

    def allow(self, number: int) -> None:
        if number > self._allowed:
            self._allowed = number
            self._more.set()

    def run(self) -> None:
        try:
            with Publisher(self._workflow, broker=self._broker, store=self._store) as publisher:
                while self.started < len(self._runs):
                    self._more.wait()
                    self._more.clear()
                    self._start(publisher)
                self._publish(publisher, self._repeats)
                self.is_done = True
        except BaseException as error:  # noqa: BLE001 - whatever it is, the trial is over: its thread raises it
            self.failure = error

    @property
    def repeated(self) -> int:
        """How many runs were started more than once."""
        return len(self._repeats)

    def _start(self, publisher: Publisher) -> None:
        while self.started < min(self._allowed, len(self._runs)):
            runs = self._runs[self.started : min(self._allowed, self.started + TOGETHER)]
            firsts = [self._workflow.start(each.ticket, workflow_id=each.id) for each in runs]
            again, self._again = self._again, [each for each in firsts if self._dice.random() < TWICE]
            self._publish(publisher, [*firsts, *again])
            self._repeats += self._again
            self.started += len(runs)

    def _publish(self, publisher: Publisher, events: Sequence[Outgoing]) -> None:
        while True:
            try:
                with suppress(DeliveryError):  # they are in the outbox: workers send what the broker did not take
                    publisher.publish(*events)
            except StoreError:
                time.sleep(0.1)
            else:
                return
