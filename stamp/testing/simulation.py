"""A whole workflow in one test: no broker, no threads, no waiting, and the same course for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from random import Random
from typing import Any, NamedTuple

from pydantic import BaseModel

from stamp.envelope.envelope import Envelope
from stamp.errors import InputError, WireError, WorkflowError
from stamp.testing.clock import VirtualClock
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Simulation"]


class _Message(NamedTuple):
    step: str
    event_id: bytes
    event: str
    body: bytes

    @property
    def work(self) -> tuple[str, bytes]:
        return self.step, self.event_id


class Simulation:
    """Runs the steps of a workflow that are defined here, always through bytes, as services would that share nothing but messages.

        simulation = Simulation(ticket, seed=7, duplicate=0.2, reorder=0.5, crash=0.1)
        simulation.start(Ticket(...), workflow_id="4729")
        assert simulation.run().final("4729").state()["priority"] == "HIGH"

    What a broker may do is done, with these probabilities: `duplicate` that an event is delivered a second time, `reorder` that
    another waiting message goes first, `crash` that a service dies when its handler has returned and nothing is recorded yet. The
    promises of the runtime hold: nothing is lost; a step that has answered an event publishes the recorded answer again instead of
    working twice; only after a crash is the handler called again, with the next `attempt` and the same `event_id`.

    What a handler raises, other than `Fail`, comes out of `run`. The message stays: the next `run` is the next attempt.
    Time is that of `clock`, which passes as messages travel. `transaction` gives handlers what they get as `StepContext.transaction`; it is
    the caller's to commit or roll back.
    """

    def __init__(
        self,
        workflow: Workflow,
        *,
        seed: int = 0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        crash: float = 0.0,
        clock: VirtualClock | None = None,
        transaction: Callable[[], Any] | None = None,
    ) -> None:
        for name, probability in (("duplicate", duplicate), ("reorder", reorder), ("crash", crash)):
            if not 0 <= probability <= 1 or (name, probability) == ("crash", 1):
                raise InputError(f"expected a probability, below 1 for a crash, got {probability!r}", path=name)
        self.clock = clock or VirtualClock()
        self._workflow = workflow.with_clock(self.clock)
        self._transaction = transaction
        self._random = Random(seed)  # noqa: S311 - a course to be repeated, not a secret
        self._duplicate, self._reorder, self._crash = duplicate, reorder, crash
        self._waiting: list[_Message] = []
        self._attempts: Counter[tuple[str, bytes]] = Counter()
        self._answers: dict[tuple[str, bytes], Sequence[Outgoing]] = {}
        self._published: dict[str, dict[bytes, Outgoing]] = {}
        self._deliveries = 0

    @property
    def deliveries(self) -> int:
        """How many messages have been delivered, repeats included."""
        return self._deliveries

    def start(
        self,
        first: BaseModel,
        *,
        workflow_id: str,
        attributes: Mapping[str, str] | None = None,
        step: str | None = None,
    ) -> Outgoing:
        """Publish the first event of a run, and return it. The arguments are those of `Workflow.start`."""
        outgoing = self._workflow.start(first, workflow_id=workflow_id, attributes=attributes, step=step)
        self.publish(outgoing)
        return outgoing

    def publish(self, outgoing: Outgoing) -> None:
        """Put an event before every step that listens to it, be it one of these steps' or of a service that is not here.

        Raises:
            WireError: its body is no envelope, or an empty one.
        """
        envelope = self._envelope(outgoing)
        if not envelope.contributions:
            raise WireError("expected an envelope with a contribution, got an empty one")
        event_id = envelope.contributions[-1].event_id
        self._published.setdefault(envelope.workflow_id, {}).setdefault(event_id, outgoing)
        for step in self._workflow.steps.values():
            if outgoing.event in step.on:
                copies = 2 if self._happens(self._duplicate) else 1
                self._waiting += [_Message(step.name, event_id, outgoing.event, outgoing.body)] * copies

    def run(self, *, at_most: int = 100_000) -> Simulation:
        """Deliver messages until none is waiting, and return this simulation.

        Raises:
            WorkflowError: messages are still waiting after `at_most` deliveries.
            Whatever a handler raises, and what `Workflow.process` does.
        """
        for message, attempt in self._due(at_most):
            step, body, transaction = message.step, message.body, self._transaction
            self._answer(message, self._workflow.process(step, body, attempt=attempt, transaction=transaction))
        return self

    async def arun(self, *, at_most: int = 100_000) -> Simulation:
        """Do what `run` does, for tests that are on an event loop: handlers that are `async def` are awaited there."""
        for message, attempt in self._due(at_most):
            step, body, transaction = message.step, message.body, self._transaction
            self._answer(message, await self._workflow.aprocess(step, body, attempt=attempt, transaction=transaction))
        return self

    def _due(self, at_most: int) -> Iterator[tuple[_Message, int]]:
        """Deliver messages; yield those that need a handler, with the number of the attempt. Without an answer, a message stays."""
        for _ in range(at_most):
            if not self._waiting:
                return
            message = self._next()
            if message.work not in self._answers:
                self._attempts[message.work] += 1
                yield message, self._attempts[message.work]
            self._settle(message)
        if self._waiting:
            text = (
                f"expected all runs to end within {at_most} deliveries, got {len(self._waiting)} messages still waiting"
            )
            first = self._waiting[0]
            raise WorkflowError(
                f"{text}, {first.event} for {first.step} among them: is there a loop without an end?",
                path=self._workflow.name,
            )

    def _next(self) -> _Message:
        """Take a message to the front of those that wait, and let the time of its journey pass."""
        if self._happens(self._reorder):
            self._waiting.insert(0, self._waiting.pop(self._random.randrange(len(self._waiting))))
        self.clock.advance(timedelta(microseconds=self._random.randint(100, 50_000)))
        self._deliveries += 1
        return self._waiting[0]

    def _answer(self, message: _Message, answer: Sequence[Outgoing]) -> None:
        if not self._happens(self._crash):
            self._answers[message.work] = answer

    def _settle(self, message: _Message) -> None:
        if message.work in self._answers:
            self._waiting.pop(0)
            for outgoing in self._answers[message.work]:
                self.publish(outgoing)

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def events(self, workflow_id: str) -> list[str]:
        """Return the names of the events of a run, each event once, in the order of their publication.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return [each.event for each in self._events(workflow_id)]

    def finals(self, workflow_id: str) -> list[Envelope]:
        """Return the events of a run that no step listens to, in the order of their publication.

        Raises:
            WorkflowError: nothing of that run was published.
        """
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
            raise WorkflowError(
                f"expected one final event of the run {workflow_id!r}, got {ends}: `finals` gives all, `history` merges them",
                path=self._workflow.name,
            )
        return finals[0]

    def history(self, workflow_id: str) -> Envelope:
        """Return all that happened in a run: its events merged.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return reduce(Envelope.merge, map(self._envelope, self._events(workflow_id)))

    def _events(self, workflow_id: str) -> list[Outgoing]:
        if workflow_id not in self._published:
            known = ", ".join(map(repr, self._published)) or "none"
            raise WorkflowError(
                f"expected a run that was started ({known}), got {workflow_id!r}", path=self._workflow.name
            )
        return list(self._published[workflow_id].values())

    def _envelope(self, outgoing: Outgoing) -> Envelope:
        return Envelope.from_bytes(outgoing.body, catalog=self._workflow.catalog, limits=self._workflow.limits)
