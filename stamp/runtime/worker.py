"""A process' share of a workflow, and the threads that it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Final, Self

from stamp.errors import InputError
from stamp.runtime.bell import Bell
from stamp.runtime.handlers import Handlers
from stamp.runtime.intake import Intake
from stamp.runtime.loop import Loop
from stamp.runtime.points import Passing, pass_by
from stamp.runtime.policy import POLICY, Policy
from stamp.runtime.relay import Relay
from stamp.runtime.staff import Means, Staff, consumers_of, sources_of, topology_of
from stamp.runtime.transport import Transport
from stamp.runtime.unresolved import unresolved
from stamp.store.store import Store
from stamp.workflow.workflow import Workflow

__all__ = ["Worker", "check"]

LOG: Final = logging.getLogger("stamp.worker")

QUICK: Final = 0.002
SLOW: Final = 0.05
"""How long to wait before looking for work in a database again, in seconds: at first, and when there has been none for a while."""

RARE: Final = 0.5
"""The same where a broker tells of new work, and only what rested is to be found."""

LOOKING: Final = 0.25
"""How often schemas are looked for that messages wait for, in seconds."""


class Worker:
    """Performs `steps` of a workflow, by default all that are defined here, until it is told to stop.

        with Worker(ticket, store=Store.open("sqlite:///stamp.db")) as worker:
            worker.wait()

    Without a `broker` the steps work together over the database of `store`: taking a message, the handler's own SQL, and the next
    event are one transaction. With one it carries the events between inboxes and outboxes, which may be in different databases.
    Without a `store` work is done at least once, and the broker has to be one that keeps what it confirms. `at` is called with
    each of `stamp.runtime.points` that is passed.

    Raises:
        WorkflowError: there is no such step, or the workflow is not in order.
        InputError: there is neither a broker nor a store, or no store to make up for what the broker loses.
    """

    def __init__(
        self,
        workflow: Workflow,
        *,
        steps: Collection[str] | None = None,
        broker: Transport | None = None,
        store: Store | None = None,
        policy: Policy = POLICY,
        at: Passing = pass_by,
    ) -> None:
        self.consumers: Final = check(workflow, steps)
        self._unresolved = partial(unresolved, workflow, broker, store)
        workflow = workflow.with_sources(*sources_of(workflow, broker, store))
        topology = topology_of(workflow)
        self.failure: BaseException | None = None
        self._bell, self._over, self._policy = Bell(), Event(), policy
        self._handlers = Handlers(workflow)
        means = Means(
            workflow=workflow,
            topology=topology,
            consumers=self.consumers,
            broker=broker,
            store=store,
            handlers=self._handlers,
            policy=policy,
            bell=self._bell,
            at=at,
        )
        staff = means.staff()
        self._intake, self._missing, self._announcer = staff.intake, staff.missing, staff.announcer
        self._stages = list(self._made(staff, patience=SLOW if broker is None else RARE))
        self._loops = [loop for stage in self._stages for loop in stage]

    def _made(self, staff: Staff, *, patience: float) -> Iterator[Sequence[Loop]]:
        """Yield the loops in the order in which they are stopped, those together that are stopped together.

        Performers first, whose work the others still have to acknowledge and send; who renews leases last.
        """
        yield [
            Loop(
                f"performer-{number}",
                self._turns(performer.turn, every=patience),
                failed=self._fail,
                last=performer.release,
            )
            for number, performer in enumerate(staff.performers)
        ]
        if staff.intake is not None:
            yield [Loop("intake", staff.intake.turn, failed=self._fail, last=_leave(staff.intake))]
        if staff.relay is not None:
            turn = self._turns(staff.relay.turn, every=RARE)
            yield [Loop("relay", turn, failed=self._fail, last=_deliver(staff.relay, self._policy.grace))]
        yield [Loop("schemas", staff.missing.turn, failed=self._fail, pause=LOOKING)]
        if staff.keeper is not None:
            yield [Loop("keeper", staff.keeper.turn, failed=self._fail, pause=staff.keeper.pause)]

    def _turns(self, turn: Callable[[], bool], *, every: float) -> Callable[[], None]:
        """Return a turn that waits when there is nothing to do, longer and longer up to `every` seconds, or until the bell rings."""
        pause = QUICK

        def one() -> None:
            nonlocal pause
            heard = self._bell.rung
            if turn():
                pause = QUICK
            else:
                self._bell.wait(heard, pause)
                # Who rings may not have committed yet what it rings for.
                pause = min(pause * 1.5, every) if self._bell.rung == heard else QUICK

        return one

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.join()

    def start(self) -> None:
        """Begin to work, in threads of its own, and warn of what nobody provides so far."""
        for each in self._unresolved():
            LOG.warning("%s: %s so far: it may come later, or the name is misspelt", each.path, each.missing)
        for loop in reversed(self._loops):
            loop.start()
        LOG.info("working on %s", ", ".join(self.consumers))

    def stop(self) -> None:
        """Ask it to stop; may be called by a signal handler. What handlers are at is finished, the rest is left for others."""
        self._over.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is asked to stop, or cannot go on, at most `timeout` seconds; tell whether that is so."""
        return self._over.wait(timeout)

    def join(self) -> bool:
        """Wait until it has stopped; False if a handler did not return within the grace period."""
        until = monotonic() + self._policy.grace
        ended = True
        for stage in self._stages:
            for loop in stage:
                loop.stop()
            self._bell.ring()
            for loop in stage:
                ended = loop.join(max(until - monotonic(), 0.1)) and ended
        if ended:  # else a handler that is cancelled would be taken for one that failed
            self._handlers.close()
        LOG.info("stopped" if ended else "stopped while a handler was at work: others do that when its lease is over")
        return ended

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, InputError):  # a mistake in what we were told, and no bug
            LOG.critical("cannot go on: %s", error)
        else:
            LOG.critical("cannot go on", exc_info=error)
        self.failure = error
        self._over.set()

    @property
    def is_alive(self) -> bool:
        """Whether all its threads are."""
        return all(loop.is_alive for loop in self._loops)

    @property
    def troubles(self) -> Sequence[str]:
        """What keeps it from working now: a broker or a database that does not answer. Empty when it is ready."""
        told = [f"{loop.name}: {loop.trouble}" for loop in self._loops if loop.trouble is not None]
        if self._over.is_set():
            return ["stopping", *told]
        told += self._missing.troubles
        if not told and self._intake is not None and not self._intake.is_connected:
            return ["intake: not connected yet"]
        if not told and self._announcer.is_waiting:
            return ["performer: not announced in the store yet"]
        return told


def check(workflow: Workflow, steps: Collection[str] | None) -> dict[str, str]:
    """Return those of `steps` that a worker would perform by their queues; None means all that are defined here.

    Raises:
        WorkflowError: there is no such step, or the workflow is not in order.
    """
    workflow.check()
    return consumers_of(workflow, topology_of(workflow), steps)


def _leave(intake: Intake) -> Callable[[], None]:
    def last() -> None:
        try:
            intake.finish()
        finally:
            intake.disconnect()

    return last


def _deliver(relay: Relay, grace: float) -> Callable[[], None]:
    """Return what a relay does at the end: send what is waiting to be sent, for as long as there is time."""

    def last() -> None:
        until = monotonic() + grace
        try:
            while not relay.is_empty and monotonic() < until:
                relay.turn()
        finally:
            relay.disconnect()

    return last
