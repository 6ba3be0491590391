"""The work itself: taken from the inbox, done, and answered, group by group.

Law: what a handler wrote, that its work is done, and its answer are committed together or not at all. An attempt is counted, and
committed, before its handler runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from stamp.errors import StampError, StoreError
from stamp.runtime.answer import answered
from stamp.runtime.arrival import opened
from stamp.runtime.group import Group
from stamp.runtime.handlers import Handlers
from stamp.runtime.intake import Intake, Received
from stamp.runtime.outlet import Outlet
from stamp.runtime.points import Passing
from stamp.runtime.reason import ATTEMPTS, DEATHS, is_hopeless, letter
from stamp.runtime.retry import Retry
from stamp.store import dead_letters, inbox
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.store.work import Work
from stamp.workflow.workflow import Workflow

__all__ = ["Office", "Performer"]

LOG: Final = logging.getLogger("stamp.performer")

LARGEST_GROUP: Final = 100
SOON: Final = 0.05
"""How long a group may collect works, in seconds: until then nobody sees what it has done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the performers of a worker share. `consumers` are the steps by their queues; `lease` is in microseconds."""

    workflow: Workflow
    consumers: Mapping[str, str]
    store: Store
    outlet: Outlet
    intake: Intake | None
    handlers: Handlers
    retry: Retry
    lease: int
    at: Passing
    clock: Callable[[], int]


class _Done(NamedTuple):
    """What became of one work: `write` says it to the inbox, and tells whether the work was still ours."""

    work: Work
    answers: Sequence[Message] = ()
    write: Callable[[Connection, Work], bool] | None = None


class _LostError(Exception):
    """Somebody else has taken over works of this group: it was too slow for its lease."""

    def __init__(self, works: Sequence[Work]) -> None:
        super().__init__()
        self.works = works


@dataclass(slots=True)
class Performer:
    """Does works, one after the other. `turn` belongs to one thread.

    `_held` are the works that are ours, `_abandoned` those to be given back with the next group, `_blamed` those that alone made a
    group fail; `_pace` is how many seconds the last work of a queue took.
    """

    office: Office
    _held: list[Work] = field(default_factory=list)
    _abandoned: list[Work] = field(default_factory=list)
    _blamed: list[_Done] = field(default_factory=list)
    _pace: dict[str, float] = field(default_factory=dict)
    _limit: int = 1

    @property
    def held(self) -> Sequence[Work]:
        """The works that are taken and not yet recorded, for whoever renews their leases."""
        return tuple(self._held)

    def turn(self, *, take: bool = True) -> bool:
        """Do what is held, record it, and `take` new works; False if there was nothing at all.

        Raises:
            StoreError: the database cannot be used, or refuses what was done. Nothing of it happened; the works are tried again.
        """
        office = self.office
        take = take and office.outlet.has_room
        received = office.intake.collect(LARGEST_GROUP) if office.intake is not None and take else ()
        performed: list[_Done] = []
        try:
            with Group(office.store) as group:
                self._perform(group, performed)
                done = [*self._blamed, *performed]
                if not (done or received or self._abandoned or (take and self._is_due())):
                    return False
                taken = self._record(group.transaction, done, received, take=take)
                office.at("before commit")
            office.at("after commit")
        except _LostError as lost:
            self._forget(performed, received, lost=lost.works)
            LOG.warning("%d works took longer than their lease and are done by somebody else", len(lost.works))
            return True
        except StoreError as error:
            self._forget(performed, received, error=error)
            raise
        except (
            SQLAlchemyError
        ) as error:  # not of the database itself: what a handler wrote is refused when it is committed
            failure = StoreError(f"what was done cannot be committed: {error}")
            self._forget(performed, received, error=failure)
            raise failure from error
        self._go_on(performed, received, taken)
        return True

    def _perform(self, group: Group, performed: list[_Done]) -> None:
        """Do works, until the group is large or old enough. What is done quickly does not wait for what may take long."""
        until = monotonic() + SOON
        for work in self._held[:LARGEST_GROUP]:
            began = monotonic()
            if performed and began + self._pace.get(work.consumer, SOON) > until:
                return
            performed.append(self._one(work, group))
            self._pace[work.consumer] = monotonic() - began

    def _is_due(self) -> bool:
        with self.office.store.read() as connection:
            return inbox.is_due(connection, list(self.office.consumers), now=self.office.clock())

    def _record(
        self, transaction: Connection, done: Sequence[_Done], received: Sequence[Received], *, take: bool
    ) -> Sequence[Work]:
        office, now = self.office, self.office.clock()
        if self._abandoned:
            inbox.release(transaction, self._abandoned)
        lost = list(inbox.complete(transaction, [each.work for each in done if each.write is None], now=now))
        lost += [each.work for each in done if each.write is not None and not each.write(transaction, each.work)]
        if lost:
            raise _LostError(lost)
        answers = [message for each in done for message in each.answers]
        if answers:
            office.outlet.put(transaction, answers, now=now)
        self._take_in(transaction, received, now=now)
        room = self._limit - len(self._held)
        if not take or room <= 0:
            return ()
        return inbox.take(transaction, list(office.consumers), limit=room, now=now, lease=office.lease)

    def _take_in(self, transaction: Connection, received: Sequence[Received], *, now: int) -> None:
        """Put what has arrived into the inbox, and what is no envelope among the dead letters."""
        entries: list[tuple[str, Message]] = []
        for arrival, _ in received:
            message, refused = opened(arrival, self.office.workflow.name, self.office.workflow.limits)
            if refused is None:
                entries.append((arrival.queue, message))
            else:
                dead_letters.bury(transaction, arrival.queue, message, letter(refused), now=now)
                LOG.error("%s: not taken for an event: %s", arrival.queue, refused)
        if entries:
            inbox.put(transaction, entries, now=now)

    def _go_on(self, done: Sequence[_Done], received: Sequence[Received], taken: Sequence[Work]) -> None:
        """Tell the others that it is committed, and take next as many works as there was time for."""
        answers = [message for each in (*self._blamed, *done) for message in each.answers]
        self._abandoned.clear()
        self._blamed.clear()
        left = self._held[len(done) :]
        self._held = [*left, *taken]
        if self.office.intake is not None and received:
            self.office.intake.settle(received)
        self.office.outlet.committed(answers)
        if left:
            self._limit = len(done)
        elif len(done) * 2 >= self._limit:
            self._limit = min(self._limit * 2, LARGEST_GROUP)

    def _forget(
        self,
        performed: Sequence[_Done],
        received: Sequence[Received],
        *,
        lost: Sequence[Work] = (),
        error: StoreError | None = None,
    ) -> None:
        """Give up a group. Its works are given back with the next one and done one by one: what then still fails has itself to blame."""
        if self.office.intake is not None:
            self.office.intake.give_back(received)
        gone = {work.number for work in lost}
        works = [work for work in self._held if work.number not in gone]
        self._blamed = [each for each in self._blamed if each.work.number not in gone]
        if error is not None and len(performed) == 1:
            self._blamed.append(self._failed(performed[0].work, error))
            works = works[1:]
        self._abandoned += works
        self._held = []
        self._limit = 1

    # -- one work

    def _one(self, work: Work, group: Group) -> _Done:
        office = self.office
        if work.attempt - work.failures > office.retry.deaths:
            text = f"expected a worker to live through this work, got {work.attempt - work.failures - 1} that died or lost it"
            return self._parked(work, StampError(text, path=office.consumers[work.consumer]), DEATHS)
        office.at("before handle")
        try:
            with group.work() as effects:
                outgoing = office.handlers.process(
                    office.consumers[work.consumer], work.message.body, attempt=work.attempt, transaction=effects
                )
                if any(each.event == self._fails(work) for each in outgoing):
                    effects.undo()
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - handlers raise what they like: their work is tried again or parked
            return self._failed(work, error)
        office.at("after handle")
        return _Done(work, answered(work.message.workflow, outgoing))

    def _fails(self, work: Work) -> str:
        return self.office.workflow.steps[self.office.consumers[work.consumer]].fails

    def _failed(self, work: Work, error: BaseException) -> _Done:
        if is_hopeless(error):
            return self._parked(work, error)
        if work.failures + 1 >= self.office.retry.attempts:
            return self._parked(work, error, ATTEMPTS)
        until = self.office.clock() + self.office.retry.rest(work.failures + 1)
        LOG.warning("%s: attempt %d raised %r", work.consumer, work.attempt, error, extra=_described(work))
        told = f"{type(error).__name__}: {error}"
        return _Done(work, write=lambda transaction, each: inbox.postpone(transaction, each, until=until, error=told))

    def _parked(self, work: Work, error: BaseException, reason: str | None = None) -> _Done:
        """Put a work among the dead letters, and answer with the failure event of its step where an answer is possible."""
        now = self.office.clock()
        said = letter(error, reason)
        LOG.error("%s: dead letter (%s): %r", work.consumer, said.reason, error, extra=_described(work))
        step = self.office.consumers[work.consumer]
        try:
            outgoing = self.office.workflow.give_up(step, work.message.body, error, received_at=now)
        except StampError:  # it is no event of this step, or has no room: the dead letter says so
            outgoing = []
        answers = answered(work.message.workflow, outgoing)
        return _Done(work, answers, lambda transaction, each: inbox.park(transaction, each, said, now=now))

    def release(self) -> None:
        """Give back what is held, for others to do.

        Raises:
            StoreError: the database cannot be used; others get the works when their leases are over.
        """
        works = [*self._abandoned, *self._held]
        self._held, self._abandoned = [], []
        if works:
            with self.office.store.begin() as transaction:
                inbox.release(transaction, works)


def _described(work: Work) -> dict[str, object]:
    message = work.message
    return {
        "workflow_id": message.workflow_id,
        "event": message.event,
        "event_id": message.event_id.hex(),
        "attempt": work.attempt,
    }
