"""What becomes of the work of all steps: it is answered, tried again or a dead letter, as a worker with a store decides it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from stamp.runtime.policy import Policy
from stamp.runtime.reason import sayable, told
from stamp.runtime.settlement import BackedOff, DeadLettered, settled, worn_out
from stamp.schema.values import instant
from stamp.store.dead_letters import DeadLetter
from stamp.store.message import Message
from stamp.testing.clock import VirtualClock
from stamp.testing.inbox import Inbox, Key, Work
from stamp.testing.waiting import Waiting, waiting
from stamp.workflow.fail import withheld
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.workflow import Workflow

__all__ = ["SimulatedWorker"]

LOG: Final = logging.getLogger("stamp.simulation")

SECOND: Final = 1_000_000
"""A second in microseconds."""


@dataclass(slots=True, kw_only=True)
class SimulatedWorker:
    """Keeps the work of the steps of `workflow`. `chance` gives numbers from 0 to 1, `publish` sends what a step answers."""

    workflow: Workflow
    policy: Policy
    clock: VirtualClock
    chance: Callable[[], float]
    publish: Callable[[Outgoing], None]
    _inbox: Inbox = field(default_factory=Inbox)
    _answers: dict[Key, Sequence[Outgoing]] = field(default_factory=dict)
    _dead: dict[Key, DeadLetter] = field(default_factory=dict)
    _lacks_schemas: bool = False

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """What was given up, that which died first first."""
        return list(self._dead.values())

    @property
    def waiting(self) -> Iterator[Waiting]:
        """What is unfinished."""
        for work, is_later in self._inbox.unfinished():
            if is_later:
                yield waiting(work.step, work.message, "an earlier event of its run comes first")
            else:
                until = instant(work.not_before)
                yield waiting(work.step, work.message, work.error or "it is due", until=until)

    @property
    def due_at(self) -> int | None:
        """When something is due next, in microseconds since 1970 UTC; None if nothing is unfinished."""
        return self._inbox.due_at

    def receive(self, step: str, message: Message) -> None:
        """Take a message in; the answer to one that is done is published again."""
        if not self._inbox.put(step, message, now=self.clock.micros):
            for outgoing in self._answers.get((step, message.event_id), ()):
                self.publish(outgoing)

    def take(self) -> Work | None:
        """Begin another attempt at the work that is due first, if any is. Whoever gets it settles it."""
        work = self._inbox.take(now=self.clock.micros)
        if work is None or self._died_of(work) < self.policy.retry.deaths:
            return work
        step, got = self.workflow.steps[work.step], f"{self._died_of(work)} that died or lost it"
        self._bury(work, worn_out(self.workflow, step, work.message, got=got, policy=self.policy))
        return None

    @staticmethod
    def _died_of(work: Work) -> int:
        return work.attempts - work.failures - 1

    def done(self, work: Work, answer: Sequence[Outgoing]) -> None:
        """Note that a work is done, and publish its answer."""
        self._inbox.complete(work)
        self._answers[work.key] = answer
        for outgoing in answer:
            self.publish(outgoing)

    def died(self, work: Work) -> None:
        """Note nothing of an attempt: whoever made it has died, and others get the work when the lease is over."""
        until = self.clock.micros + round(self.policy.lease * SECOND)
        self._inbox.put_off(work, until=until, error=f"the service died in attempt {work.attempts}")

    def failed(self, work: Work, error: BaseException) -> None:
        """Try a work again later, or never, after `error`."""
        said = sayable(error)
        settlement = settled(
            self.workflow,
            self.workflow.steps[work.step],
            work.message,
            said,
            failures=work.failures + 1,
            waited=self.clock.micros - work.arrived_at,
            policy=self.policy,
            chance=self.chance,
        )
        if isinstance(settlement, DeadLettered):
            self._bury(work, settlement)
        elif isinstance(settlement, BackedOff):
            self._back_off(work, settlement)
        else:
            work.failures += 1
            until = self.clock.micros + settlement.rest
            self._inbox.put_off(work, until=until, error=f"attempt {work.attempts} raised {self._kept(work, said)}")

    def _kept(self, work: Work, error: BaseException) -> str:
        """Return what is kept of an error at which work is tried again."""
        if self.policy.expose_errors:
            return told(error)
        LOG.warning("%s: attempt %d raised %s", work.step, work.attempts, told(error), extra=_described(work))
        return f"{type(error).__name__}: {withheld(work.message.event_id)}"

    def _back_off(self, work: Work, back_off: BackedOff) -> None:
        """Try a work again as if it had not been tried: at once, if the schema that it lacks can be learned now."""
        work.attempts -= 1
        is_known = self.workflow.learn(back_off.error.schema_id)
        until = self.clock.micros + (0 if is_known else back_off.rest)
        self._inbox.put_off(work, until=until, error=told(back_off.error))
        self._lacks_schemas |= not is_known

    def look_again(self) -> None:
        """Read the contracts folder again, if a schema is missing that somebody may have put there since."""
        if self._lacks_schemas:
            self._lacks_schemas = False
            self.workflow.reload()

    def _bury(self, work: Work, dead: DeadLettered) -> None:
        self._inbox.complete(work)
        consumer, now = f"{self.workflow.name}.{work.step}", self.clock.micros
        self._dead[work.key] = DeadLetter(work.message, consumer, dead.letter, work.attempts, work.arrived_at, now)
        if dead.letter != dead.said:
            said = (dead.said.reason, dead.said.error_type, dead.said.error_message)
            LOG.error("%s: dead letter (%s): %s: %s", consumer, *said, exc_info=dead.untold, extra=_described(work))
        for outgoing in dead.outgoing:
            self.publish(outgoing)

    def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Have dead letters worked on again, with all attempts, and return how many were still dead."""
        wanted = {(each.consumer, each.message.event_id) for each in letters}
        keys = [key for key, each in self._dead.items() if (each.consumer, each.message.event_id) in wanted]
        for key in keys:
            del self._dead[key]
            self._inbox.replay(key, now=self.clock.micros)
        return len(keys)


def _described(work: Work) -> dict[str, str]:
    return {"workflow_id": work.message.workflow_id, "event_id": work.message.event_id.hex()}
