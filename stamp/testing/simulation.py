"""A whole workflow in one test: no broker, no threads, no waiting, and the same course for the same seed."""

from __future__ import annotations

from asyncio import CancelledError, current_task
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from random import Random
from typing import Any, Final

from pydantic import BaseModel

from stamp.envelope import wire
from stamp.envelope.envelope import Envelope
from stamp.errors import InputError, WorkflowError
from stamp.runtime.beginning import begin, used
from stamp.runtime.policy import POLICY, Policy
from stamp.runtime.recollection import Recollection
from stamp.runtime.staff import topology_of
from stamp.store.dead_letters import DeadLetter
from stamp.store.message import Message
from stamp.testing.broker import Broker
from stamp.testing.clock import MICROSECOND, VirtualClock
from stamp.testing.inbox import Key, Work
from stamp.testing.published import Published
from stamp.testing.waiting import Waiting, waiting
from stamp.testing.worker import SimulatedWorker
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["Simulation"]

RAISED: Final = (Exception, SystemExit, CancelledError)
"""What a handler may raise without ending a worker."""


class Simulation:
    """Runs the steps of a workflow that are defined here, always through bytes, as services would that share nothing but messages.

        simulation = Simulation(ticket, seed=7, duplicate=0.2, reorder=0.5, crash=0.1)
        simulation.start(Ticket(...), workflow_id="4729")
        assert simulation.run().final("4729").state()["priority"] == "HIGH"

    Several `Workflow` objects of one name, as separate services have, are put together: `Simulation(orders, parcels)`.

    What a broker may do is done, with these probabilities: `duplicate` that an event is delivered a second time, `reorder` that
    another message is delivered first, `crash` that a service dies when its handler has returned and nothing is recorded yet. The
    promises of the runtime hold: nothing is lost; a step that has answered an event publishes the recorded answer again instead of
    working twice; the order within a run holds; only after a crash is the handler called again for what it has done, with the next
    `attempt` and the same `event_id`.

    What becomes of work that failed is decided as a worker decides it, by `policy`: it rests and is tried again, or is a dead letter, for the
    same reasons and with the same failure event. With `raise_errors` what a handler raises leaves `run`, too; the next `run` goes on. Of the policy the
    retries count, the lease, after which somebody else takes the work of a service that died, how long an unknown writer schema is waited for, and
    whether errors tell their texts; where they do not, they are logged.

    Time is that of `clock`, which passes as messages travel and work rests. `transaction` gives handlers what they get as
    `StepContext.transaction`; it is the caller's to commit or roll back.
    """

    def __init__(
        self,
        *workflows: Workflow,
        seed: int = 0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        crash: float = 0.0,
        policy: Policy = POLICY,
        raise_errors: bool = False,
        clock: VirtualClock | None = None,
        transaction: Callable[[], Any] | None = None,
    ) -> None:
        for name, probability in (("duplicate", duplicate), ("reorder", reorder), ("crash", crash)):
            if not 0 <= probability <= 1:
                raise InputError(f"expected a probability, got {probability!r}", path=name)
        self.clock = clock or VirtualClock()
        self._workflow = Workflow.joined(*workflows).with_clock(self.clock)
        self._topology = topology_of(self._workflow)
        self._raise_errors, self._transaction = raise_errors, transaction
        self._random, self._crash = Random(seed), crash  # noqa: S311 - a course to be repeated, not a secret
        self._published = Published(self._workflow, self._topology)
        self._broker = Broker(self._random, self.clock, duplicate=duplicate, reorder=reorder)
        self._worker = SimulatedWorker(
            workflow=self._workflow,
            policy=policy,
            clock=self.clock,
            chance=self._random.random,
            publish=self.publish,
        )
        self._recollection = Recollection()
        self._elsewhere: dict[Key, Message] = {}
        self._deliveries = 0

    @property
    def deliveries(self) -> int:
        """How many messages have been delivered, repeats and further attempts included."""
        return self._deliveries

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """What no attempt could do, and why, as a store has it: those that died first first."""
        return self._worker.dead_letters

    @property
    def waiting(self) -> Sequence[Waiting]:
        """What has not been answered yet, and why: it is on its way, rests, or waits for an earlier event of its run or a step that is not here."""
        sent = [waiting(step, message, "it is on its way") for step, message in self._broker.sent]
        no_code = "the code of this step is not here"
        elsewhere = [waiting(step, message, no_code) for (step, _), message in self._elsewhere.items()]
        return [*sent, *self._worker.waiting, *elsewhere]

    # -- what goes in

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
        """Send an event to every step that listens to it, be it one of these steps' or of a service that is not here.

        The first event of a run that has begun with it is not sent again, as by a publisher with a store.

        Raises:
            WireError: its body is no envelope, or an empty one.
            UsedIdError: the run has begun with another event, or content.
        """
        limits = self._workflow.limits
        message = Message(*wire.read_latest(outgoing.body, limits), outgoing.body, outgoing.headers)
        repeated, refused = begin([message], limits, self._recollection.begun)
        if refused:
            raise used([message.workflow_id], path=self._workflow.name)
        if not repeated:
            self._published.add(message)
            self._send(message)

    def _send(self, message: Message) -> None:
        for queue in self._topology.listeners(message.event):
            if queue.step in self._workflow.steps:
                self._broker.send(queue.step, message)
            else:
                self._elsewhere[queue.step, message.event_id] = message

    def replay(self, *letters: DeadLetter) -> int:
        """Have dead letters worked on again by the next `run`, all or these, with all attempts; return how many were still dead."""
        return self._worker.replay(letters or self.dead_letters)

    # -- the course

    def run(
        self, *, at_most: int = 100_000, within: timedelta | None = None, raise_errors: bool | None = None
    ) -> Simulation:
        """Deliver messages and try work again until nothing is left to do here, and return this simulation.

        Args:
            at_most: after how many deliveries it is an error that there still is something to do.
            within: how much time of the clock may pass: what rests longer is left for the next `run`.
            raise_errors: whether what a handler raises comes out, by default as the simulation was told.

        Raises:
            WorkflowError: there is something to do after `at_most` deliveries.
            With `raise_errors`: whatever a handler raises, and what `Workflow.process` does.
        """
        for work in self._works(at_most, within):
            step, body = work.step, work.message.body
            try:
                answer = self._workflow.process(step, body, **self._terms(work))
            except RAISED as error:
                self._worker.failed(work, error)
                if self._raise_errors if raise_errors is None else raise_errors:
                    raise
            else:
                self._done(work, answer)
        return self

    async def arun(
        self, *, at_most: int = 100_000, within: timedelta | None = None, raise_errors: bool | None = None
    ) -> Simulation:
        """Do what `run` does, for tests that are on an event loop: handlers that are `async def` are awaited there."""
        for work in self._works(at_most, within):
            step, body = work.step, work.message.body
            try:
                answer = await self._workflow.aprocess(step, body, **self._terms(work))
            except RAISED as error:
                if isinstance(error, CancelledError) and _is_cancelled():
                    raise
                self._worker.failed(work, error)
                if self._raise_errors if raise_errors is None else raise_errors:
                    raise
            else:
                self._done(work, answer)
        return self

    def _terms(self, work: Work) -> dict[str, Any]:
        """Return what a handler is called with beside its event."""
        exposed = self._worker.policy.expose_errors
        return {"attempt": work.attempts, "transaction": self._transaction, "expose_errors": exposed}

    def _works(self, at_most: int, within: timedelta | None) -> Iterator[Work]:
        """Yield the works that are to be tried, each to be settled before the next; what is not is the first one again."""
        last = self._deliveries + at_most
        until = None if within is None else self.clock.micros + within // MICROSECOND
        self._worker.look_again()
        while self._pass_time(until):
            if self._deliveries >= last:
                raise self._endless(at_most)
            self._deliveries += 1
            work = self._worker.take() or self._deliver()
            if work is not None:
                yield work

    def _pass_time(self, until: int | None) -> bool:
        """Let the time pass until there is something to do; False if there is nothing before `until`."""
        due = self.clock.micros if self._broker.sent else self._worker.due_at
        if due is None or (until is not None and max(due, self.clock.micros) > until):
            self._advance_to(until)
            return False
        self._advance_to(due)
        return True

    def _advance_to(self, time: int | None) -> None:
        if time is not None and time > self.clock.micros:
            self.clock.advance(timedelta(microseconds=time - self.clock.micros))

    def _deliver(self) -> Work | None:
        """Deliver a message, if one is on its way, and return the work that is due then."""
        if not self._broker.sent:
            return None
        self._worker.receive(*self._broker.deliver())
        return self._worker.take()

    def _endless(self, at_most: int) -> WorkflowError:
        first, *others = [each for each in self.waiting if each.step in self._workflow.steps]
        text = f"expected all runs to end within {at_most} deliveries, got {1 + len(others)} messages still waiting"
        return WorkflowError(
            f"{text}, {first.event} for {first.step} among them: is there a loop without an end?",
            path=self._workflow.name,
        )

    def _done(self, work: Work, answer: Sequence[Outgoing]) -> None:
        if self._random.random() < self._crash:
            self._worker.died(work)
        else:
            self._worker.done(work, answer)

    # -- what came out

    def events(self, workflow_id: str) -> list[str]:
        """Return the names of the events of a run, each event once, in the order of their publication.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return [each.contributions[-1].event for each in self._published.of(workflow_id)]

    def finals(self, workflow_id: str) -> list[Envelope]:
        """Return the final events of a run, in the order of their publication: those that are declared ends, and those that nobody listens to.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return self._published.finals(workflow_id)

    def final(self, workflow_id: str) -> Envelope:
        """Return the one final event of a run: the declared end, where it has one, whatever came after it.

        Raises:
            WorkflowError: it has none or several: see `finals`. The text says what waits, and what is dead.
        """
        finals = self.finals(workflow_id)
        ends = [each for each in finals if self._published.is_declared_end(each)] or finals
        if len(ends) != 1:
            events = ", ".join(each.contributions[-1].event for each in ends) or "none"
            text = f"expected one final event of the run {workflow_id!r}, got {events}: `finals` gives all, `history` merges them"
            raise WorkflowError("; ".join((text, *self._open(workflow_id))), path=self._workflow.name)
        return ends[0]

    def _open(self, workflow_id: str) -> Iterator[str]:
        """Say what keeps a run from going on."""
        for each in self.waiting:
            if each.workflow_id == workflow_id:
                yield str(each)
        for dead in self.dead_letters:
            if dead.message.workflow_id == workflow_id:
                reason, kind, message, *_ = dead.letter
                yield f"{dead.message.event} is a dead letter of {dead.consumer} ({reason}): {kind}: {message}"

    def history(self, workflow_id: str) -> Envelope:
        """Return all that happened in a run: its events merged.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return reduce(Envelope.merge, self._published.of(workflow_id))


def _is_cancelled() -> bool:
    """Tell whether it is the test that is cancelled, and not what a handler awaits."""
    task = current_task()
    return task is not None and task.cancelling() > 0
