"""The work itself: taken from the inbox, done, and answered, group by group.

Law: what a handler wrote, that its work is done, and its answer are committed together or not at all. An attempt is counted, and
committed, before its handler runs.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from stamp.errors import StampError, StoreError
from stamp.runtime import conflict
from stamp.runtime.arrival import opened, own_id
from stamp.runtime.beginning import begin, used
from stamp.runtime.group import Group
from stamp.runtime.intake import Received
from stamp.runtime.office import Office
from stamp.runtime.pace import LARGEST_GROUP, Pace
from stamp.runtime.reason import letter, withheld
from stamp.runtime.transport import Arrival
from stamp.runtime.verdict import Verdict, done, failed, worn_out
from stamp.store import dead_letters, inbox, starts
from stamp.store.message import Message
from stamp.store.work import Work

__all__ = ["Performer"]

LOG: Final = logging.getLogger("stamp.performer")


class _LostError(Exception):
    """Somebody else has taken over works of this group: it was too slow for its lease."""

    def __init__(self, works: Sequence[Work]) -> None:
        super().__init__()
        self.works = works


@dataclass(slots=True)
class Performer:
    """Does works, one after the other. `turn` belongs to one thread.

    `_held` are the works that are ours, `_abandoned` those to be given back with the next group, `_blamed` those that alone made a
    group fail, `_suspect` the number of one that may have.
    """

    office: Office
    _held: list[Work] = field(default_factory=list)
    _abandoned: list[Work] = field(default_factory=list)
    _blamed: list[Verdict] = field(default_factory=list)
    _suspect: int | None = None
    _pace: Pace = field(default_factory=Pace)

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
        office.announcer.announce_in_store()
        take = take and office.outlet.has_room
        tried: list[Work] = []
        received: Sequence[Received] = ()
        try:
            with Group(office.store) as group:
                performed = self._perform(group, tried)
                if office.intake is not None and take:  # not before: somebody else may have time for them
                    received = office.intake.collect(LARGEST_GROUP)
                verdicts = [*self._blamed, *performed]
                if not (verdicts or received or self._abandoned or (take and self._is_due())):
                    self._pace.pause()
                    return False
                group.keep()
                held = self._record(group.transaction, verdicts, received, take=take)
                office.at("before commit")
            office.at("after commit")
        except _LostError as lost:
            self._forget(received, lost=lost.works)
            LOG.warning("%d works took longer than their lease and are done by somebody else", len(lost.works))
            return True
        except StoreError as error:
            self._blame(tried, error, at_once=False)
            self._forget(received)
            raise
        except SQLAlchemyError as error:  # not of the database itself: it refuses to commit what a handler wrote
            refused = StoreError(f"what was done cannot be committed: {error}")
            self._blame(tried, refused, at_once=True)
            self._forget(received)
            if office.policy.expose_errors:
                raise refused from error
            raise StoreError(f"what was done cannot be committed: {type(error).__name__}") from None
        self._go_on(performed, received, held)
        return bool(verdicts or received or held)

    def _perform(self, group: Group, tried: list[Work]) -> Sequence[Verdict]:
        """Do works, until the group is large or old enough. What is done quickly does not wait for what may take long."""
        verdicts: list[Verdict] = []
        self._pace.begin()
        for work in self._held[:LARGEST_GROUP]:
            if tried and not self._joins(work, group):
                break
            tried.append(work)
            began = monotonic()
            verdicts.append(self._one(work, group))
            self._pace.took(work.consumer, monotonic() - began)
            if work.failures:  # it may fail again, at the commit
                break
        return verdicts

    def _joins(self, work: Work, group: Group) -> bool:
        """Tell whether a work is done together with those before it.

        An `async def` is not waited for while the transaction is open: another one on the same loop could wait for what it has
        locked, and the loop with it.
        """
        if work.failures or not self._pace.has_time(work.consumer):
            return False
        return not (group.has_begun and self.office.step_of(work).is_async)

    def _is_due(self) -> bool:
        with self.office.store.read() as connection:
            return inbox.is_due(connection, list(self.office.consumers), now=self.office.clock())

    def _record(
        self, transaction: Connection, verdicts: Sequence[Verdict], received: Sequence[Received], *, take: bool
    ) -> list[Work]:
        """Write down what became of works and what has come in, and return the works that are held from now on."""
        office, now = self.office, self.office.clock()
        if self._abandoned:
            inbox.release(transaction, self._abandoned)
        lost = list(inbox.complete(transaction, [each.work for each in verdicts if each.write is None], now=now))
        lost += [each.work for each in verdicts if each.write is not None and not each.write(transaction, each.work)]
        if lost:
            raise _LostError(lost)
        answers = [message for each in verdicts for message in each.answers]
        if answers:
            office.outlet.put(transaction, answers, now=now)
        self._take_in(transaction, received, now=now)
        performed = len(verdicts) - len(self._blamed)
        return self._held_next(transaction, self._held[performed:], done=performed, take=take)

    def _held_next(self, transaction: Connection, left: Sequence[Work], *, done: int, take: bool) -> list[Work]:
        """Return as many works as there will be time for: of those that are `left`, the rest of which is given back, and new ones."""
        self._pace.end(done=done, left=len(left))
        kept = left[: self._pace.limit]
        inbox.release(transaction, left[len(kept) :])
        room = self._pace.limit - len(kept)
        if not take or not room:
            return [*kept]
        office = self.office
        taken = inbox.take(transaction, list(office.consumers), limit=room, now=office.clock(), lease=office.lease)
        return [*kept, *taken]

    def _take_in(self, transaction: Connection, received: Sequence[Received], *, now: int) -> None:
        """Put what has arrived into the inbox; among the dead letters what is no envelope, begins a run that has begun otherwise, or has the id of another event."""
        workflow, entries = self.office.workflow, list[tuple[Arrival, Message]]()
        for arrival, _ in received:
            message, refused = opened(arrival, workflow.name, workflow.limits)
            if refused is None:
                entries.append((arrival, message))
            else:
                self._bury(transaction, arrival.queue, message, refused, now=now)
        messages = [message for _, message in entries]
        _, other = begin(messages, workflow.limits, lambda contents: starts.put(transaction, contents, now=now))
        for arrival, message in entries:
            if message in other:
                renamed = message._replace(event_id=own_id(arrival.queue, arrival.body))
                self._bury(
                    transaction, arrival.queue, renamed, used([message.workflow_id], path=message.workflow), now=now
                )
        kept = [(arrival.queue, message) for arrival, message in entries if message not in other]
        if kept:
            conflict.put(transaction, kept, now=now)

    def _bury(self, transaction: Connection, queue: str, message: Message, error: StampError, *, now: int) -> None:
        kept, id_ = letter(error), message.event_id
        if not self.office.policy.expose_errors:
            kept = withheld(kept, id_)
        dead_letters.bury(transaction, queue, message, kept, now=now)
        described = {"workflow_id": message.workflow_id, "event_id": id_.hex()}
        LOG.error("%s: not taken for an event: %s", queue, error, extra=described)

    def _go_on(self, performed: Sequence[Verdict], received: Sequence[Received], held: list[Work]) -> None:
        """Tell the others that it is committed."""
        answers = [message for each in (*self._blamed, *performed) for message in each.answers]
        self._abandoned, self._blamed, self._held = [], [], held
        if performed:
            self._suspect = None
        if self.office.intake is not None and received:
            self.office.intake.settle(received)
        self.office.outlet.committed(answers)

    def _blame(self, tried: Sequence[Work], error: StoreError, *, at_once: bool) -> None:
        """Count the failure of a group against its work, if that was alone: `at_once`, or when it is the second time.

        A database that is gone is nobody's fault; a work that breaks the transaction does so each time.
        """
        if len(tried) != 1:
            return
        [work] = tried
        if at_once or work.number == self._suspect:
            self._blamed.append(failed(self.office, work, error))
            self._held.remove(work)
        else:
            self._suspect = work.number

    def _forget(self, received: Sequence[Received], *, lost: Sequence[Work] = ()) -> None:
        """Give up a group. Its works are given back with the next one and done one by one: what then still fails has itself to blame."""
        if self.office.intake is not None:
            self.office.intake.give_back(received)
        gone = {work.number for work in lost}
        self._blamed = [each for each in self._blamed if each.work.number not in gone]
        self._abandoned += [work for work in self._held if work.number not in gone]
        self._pace.one_by_one(len(self._held))
        self._held = []

    def _one(self, work: Work, group: Group) -> Verdict:
        office, step = self.office, self.office.step_of(work)
        verdict = worn_out(office, work)
        if verdict is not None:
            return verdict
        office.at("before handle")
        try:
            with group.work() as effects:
                outgoing = office.handlers.process(
                    step.name,
                    work.message.body,
                    attempt=work.attempt,
                    transaction=effects,
                    expose_errors=office.policy.expose_errors,
                )
                if any(each.event == step.fails for each in outgoing):
                    effects.undo()
        except StoreError:
            raise
        except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - handlers raise what they like: their work is tried again or parked
            return failed(office, work, error)
        office.at("after handle")
        return done(work, outgoing)

    def release(self) -> None:
        """Give back what is held, for others to do.

        Raises:
            StoreError: the database cannot be used; others get the works when their leases are over.
        """
        self._abandoned += self._held
        self._held = []
        self.turn(take=False)
