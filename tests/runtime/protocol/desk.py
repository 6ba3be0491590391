"""A workflow of one step, which does what a test says, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import BaseModel
from sqlalchemy import text

from stamp import Envelope, Outgoing, StepContext, Workflow
from stamp.runtime.points import pass_by
from stamp.runtime.policy import Policy
from stamp.runtime.publisher import Publisher
from stamp.runtime.retry import Retry
from stamp.store import dead_letters, finals
from stamp.store.dead_letters import DeadLetter
from stamp.store.store import Store

from .broker import SimulatedBroker
from .clock import Clock
from .moments import Passing
from .worker import SimulatedWorker

POLICY = Policy(lease=30, resend=5, retry=Retry(attempts=3, first=10, longest=40, deaths=4))

TABLE = text("CREATE TABLE note (text TEXT)")
NOTE = text("INSERT INTO note (text) VALUES (:text)")
NOTES = text("SELECT text FROM note ORDER BY text")


class Question(BaseModel):
    text: str


class Reminder(BaseModel):
    text: str


class Answer(BaseModel):
    text: str


Handler = Callable[[StepContext], Answer]


def note(context: StepContext, said: str | None = None) -> None:
    """Write something into the database of the worker: the run, by default."""
    context.transaction.execute(NOTE, {"text": said or context.workflow_id})


def agree(context: StepContext) -> Answer:
    note(context)
    return Answer(text="yes")


def of_another_release() -> tuple[Outgoing, Workflow]:
    """Return the start of a run that a release has written which nobody else knows, and that release."""

    class Wide(Question):
        color: str

    other = Workflow("desk", contracts="/nowhere")
    other.starts("question", Wide, emits="Asked")
    return other.start(Wide(text="why?", color="red"), workflow_id="1"), other


class Desk:
    """The step `answer`, which listens to `Asked` and `Reminded` of a run, calls `handler` for each, and emits `Answered`."""

    def __init__(self, store: Store | None, clock: Clock, *, broker: SimulatedBroker | None = None) -> None:
        self.store, self.clock, self.broker = store, clock, broker
        self.handler: Handler = agree
        self.workflow = Workflow("desk", contracts="/nowhere", clock=clock)
        self.queue = "desk.answer"
        self._define(self.workflow)
        if store is not None:
            with store.begin() as transaction:
                transaction.execute(TABLE)

    def _define(self, desk: Workflow) -> None:
        desk.starts("question", Question, emits="Asked")
        desk.starts("reminder", Reminder, emits="Reminded")

        @desk.step(on=["Asked", "Reminded"], emits="Answered")
        def answer(question: Question | None, reminder: Reminder | None, context: StepContext) -> Answer:
            return self.handler(context)

    def worker(self, at: Passing = pass_by, policy: Policy = POLICY, **changes: object) -> SimulatedWorker:
        retry = {name: changes.pop(name) for name in list(changes) if name in Retry.__slots__}
        return SimulatedWorker(
            self.workflow,
            store=self.store,
            broker=self.broker,
            policy=replace(policy, retry=replace(policy.retry, **retry), **changes),
            at=at,
        )

    def ask(self, *runs: object) -> None:
        self._publish(*(self.workflow.start(Question(text="why?"), workflow_id=str(run)) for run in runs))

    def remind(self, *runs: object) -> None:
        self._publish(*(self._reminder(str(run)) for run in runs))

    def _reminder(self, run: str) -> Outgoing:
        """Return `Reminded` as an event of the run that began with `Asked`."""
        asked = self.workflow.start(Question(text="why?"), workflow_id=run)
        reminded = self.workflow.start(Reminder(text="so?"), workflow_id=run)
        [said] = Envelope.from_bytes(reminded.body).contributions
        return reminded._replace(body=bytes(Envelope.from_bytes(asked.body).append(said)))

    def overtaking(self, run: str) -> Outgoing:
        """Return an event that has the id of the one with which the run begins, and is none of those that begin one."""
        begun = self.workflow.start(Question(text="why?"), workflow_id=run)
        reminded = self.workflow.start(Reminder(text="so?"), workflow_id=run)
        [said] = Envelope.from_bytes(begun.body).contributions
        return begun._replace(body=bytes(Envelope.from_bytes(reminded.body).append(said)))

    def _publish(self, *outgoing) -> None:
        with Publisher(self.workflow, broker=self.broker, store=self.store) as publisher:
            publisher.publish(*outgoing)

    def work(self, worker: SimulatedWorker, *, turns: int = 1_000) -> None:
        """Let a worker work until it has nothing to do now."""
        for _ in range(turns):
            worker.turn("intake")
            if not worker.turn("performer", "relay"):
                return
        raise AssertionError("there is no end to it")

    # -- what is to be seen from outside

    @property
    def notes(self) -> list[str]:
        """What handlers wrote, of what was committed."""
        assert self.store is not None
        with self.store.read() as connection:
            return list(connection.execute(NOTES).scalars())

    @property
    def events(self) -> list[tuple[str, str]]:
        """The events that nobody listens to, with their runs."""
        assert self.store is not None
        with self.store.read() as connection:
            return sorted((each.event, each.workflow_id) for each in finals.find(connection))

    @property
    def letters(self) -> list[DeadLetter]:
        assert self.store is not None
        with self.store.read() as connection:
            return list(dead_letters.find(connection))
