"""A whole workflow in one test: no broker, no threads, no waiting, and the same course for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from random import Random
from typing import NamedTuple

from pydantic import BaseModel

from stamp.envelope.envelope import Envelope
from stamp.errors import WorkflowError
from stamp.testing.clock import VirtualClock
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Simulation"]


class _Message(NamedTuple):
    step: str
    event_id: str
    body: bytes


class Simulation:
    """Runs a workflow in the calling thread, always through bytes, as services would that share nothing but messages.

    Every message is delivered at least once. `duplicate` is the probability that it comes a second time, `reorder` that another
    waiting message goes first. A step that has seen an event does not work again: it publishes what it published then, as the
    runtime does. What a handler raises, other than `Fail`, comes out of `run`.

        simulation = Simulation(ticket, seed=7, duplicate=0.2, reorder=0.5)
        simulation.start(Ticket(...), workflow_id="4729")
        assert simulation.run().final("4729").state()["priority"] == "HIGH"
    """

    def __init__(
        self,
        workflow: Workflow,
        *,
        seed: int = 0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self._workflow = workflow.with_clock(self.clock)
        self._random = Random(seed)  # noqa: S311 - a course to be repeated, not a secret
        self._duplicate, self._reorder = duplicate, reorder
        self._waiting: list[_Message] = []
        self._done: dict[tuple[str, str], list[Outgoing]] = {}
        self._published: dict[str, dict[str, Outgoing]] = {}
        self._deliveries = 0

    @property
    def deliveries(self) -> int:
        """How many messages have been delivered, repeats included."""
        return self._deliveries

    def start(self, first: BaseModel, *, workflow_id: str, attributes: Mapping[str, str] | None = None) -> Outgoing:
        """Publish the first event of a run, and return it."""
        outgoing = self._workflow.start(first, workflow_id=workflow_id, attributes=attributes)
        self.publish(outgoing)
        return outgoing

    def publish(self, outgoing: Outgoing) -> None:
        """Put an event before every step that listens to it."""
        event_id, run = outgoing.headers["ce-id"], outgoing.headers["ce-subject"]
        self._published.setdefault(run, {})[event_id] = outgoing
        for step in self._workflow.steps.values():
            if outgoing.event in step.on:
                copies = 2 if self._random.random() < self._duplicate else 1
                self._waiting += [_Message(step.name, event_id, outgoing.body)] * copies

    def run(self) -> Simulation:
        """Deliver messages until none is waiting, and return this simulation."""
        while self._waiting:
            jumps = self._random.random() < self._reorder
            message = self._waiting.pop(self._random.randrange(len(self._waiting)) if jumps else 0)
            self.clock.advance(timedelta(microseconds=self._random.randint(100, 50_000)))
            self._deliver(message)
        return self

    def _deliver(self, message: _Message) -> None:
        self._deliveries += 1
        work = (message.step, message.event_id)
        if work not in self._done:
            self._done[work] = self._workflow.process(message.step, message.body)
        for outgoing in self._done[work]:
            self.publish(outgoing)

    def finals(self, workflow_id: str) -> list[Envelope]:
        """Return the events of a run that no step listens to, in the order of their publication."""
        heard = {event for step in self._workflow.steps.values() for event in step.on}
        return [self._envelope(each) for each in self._events(workflow_id) if each.event not in heard]

    def final(self, workflow_id: str) -> Envelope:
        """Return the one final event of a run.

        Raises:
            WorkflowError: it has none or several: see `finals`.
        """
        finals = self.finals(workflow_id)
        if len(finals) != 1:
            ends = ", ".join(each.contributions[-1].event for each in finals) or "none"
            raise WorkflowError(f"expected one final event of {workflow_id!r}, got {ends}", path=self._workflow.name)
        return finals[0]

    def history(self, workflow_id: str) -> Envelope:
        """Return all that happened in a run: its events merged.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return reduce(Envelope.merge, [self._envelope(each) for each in self._events(workflow_id)])

    def _events(self, workflow_id: str) -> list[Outgoing]:
        if workflow_id not in self._published:
            known = ", ".join(self._published) or "none"
            raise WorkflowError(
                f"expected a run that was started ({known}), got {workflow_id!r}", path=self._workflow.name
            )
        return list(self._published[workflow_id].values())

    def _envelope(self, outgoing: Outgoing) -> Envelope:
        return Envelope.from_bytes(outgoing.body, catalog=self._workflow.catalog, limits=self._workflow.limits)
