"""Law: without `expose_errors` nothing that an error says leaves the process but into its own log, whichever way work fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from stamp import Envelope, Fail, StepContext
from stamp.errors import InputError, StoreError
from stamp.runtime import directory, missing_schemas, pace, performer, storeless
from stamp.runtime.policy import Policy
from stamp.store.store import Store
from stamp.store.tables import METADATA
from stamp.testing import Simulation, VirtualClock

from ..store.conftest import DATABASES  # noqa: TID252 - tests are no package that could be imported by its name
from .protocol.broker import Copy, SimulatedBroker
from .protocol.clock import Clock
from .protocol.desk import POLICY, Answer, Desk, Question, agree, note
from .protocol.store import SimulatedStore

SECRET = "pa55word@db"


class AsyncDesk(Desk):
    def _define(self, desk):
        desk.starts("question", Question, emits="Asked")

        @desk.step(on="Asked", emits="Answered")
        async def answer(question: Question, context: StepContext) -> Answer:
            await asyncio.sleep(0)
            return self.handler(context)


class NoExpertFree(Fail):
    """A failure whose name says enough."""


def from_another() -> Exception:
    try:
        raise KeyError(SECRET)
    except KeyError as cause:
        error = ConnectionError(f"gone: {SECRET}")
        error.__cause__ = cause
        error.add_note(SECRET)
        return error


def returned(value: object) -> Callable[[StepContext], Any]:
    return lambda _: value


def raised(error: Callable[[], BaseException]) -> Callable[[StepContext], Any]:
    def handler(_: StepContext) -> Any:
        raise error()

    return handler


FAILURES = {
    "RuntimeError": (raised(lambda: RuntimeError(f"no answer of {SECRET}")), "RuntimeError"),
    "SystemExit": (raised(lambda: SystemExit(SECRET)), "SystemExit"),
    "a cause and a note": (raised(from_another), "ConnectionError"),
    "a group": (raised(lambda: ExceptionGroup(SECRET, [ValueError(SECRET)])), "ExceptionGroup"),
    "Fail": (raised(lambda: Fail(SECRET)), "Fail"),
    "details of a Fail": (raised(lambda: NoExpertFree("none", host=SECRET, **{SECRET: "x"})), "NoExpertFree"),
    "a Fail about an error": (raised(lambda: Fail(ValueError(SECRET))), "Fail"),
    "an undeclared answer": (returned(f"<{SECRET}>"), "HandlerError"),
}


@pytest.fixture(params=FAILURES)
def failure(request):
    return FAILURES[request.param]


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for each in (directory, missing_schemas, pace, performer, storeless):
        monkeypatch.setattr(each, "monotonic", clock.seconds)
    return clock


def everything(store: Store) -> str:
    """Return all that a store holds, as it can be read there."""
    with store.read() as connection:
        return repr([tuple(row) for table in METADATA.sorted_tables for row in connection.execute(table.select())])


@contextmanager
def stored(kind: type[Desk], clock: Clock) -> Iterator[tuple[Desk, Callable[[], str]]]:
    with SimulatedStore.open("sqlite://") as store:
        desk = kind(store, clock)
        yield desk, lambda: everything(store)


@contextmanager
def storelessly(kind: type[Desk], clock: Clock) -> Iterator[tuple[Desk, Callable[[], str]]]:
    broker = SimulatedBroker(keeps=True)
    yield kind(None, clock, broker=broker), lambda: repr((broker.offered, broker.buried, broker.queues))


@pytest.mark.parametrize("kind", [Desk, AsyncDesk])
@pytest.mark.parametrize("way", [stored, storelessly])
@pytest.mark.parametrize("exposed", [False, True])
def test_a_worker_keeps_what_an_error_says_for_its_log(clock, caplog, failure, way, kind, exposed):
    handler, type_ = failure
    caplog.set_level(logging.WARNING)
    with way(kind, clock) as (desk, seen):
        desk.handler = handler
        worker = desk.worker(policy=replace(POLICY, expose_errors=exposed), attempts=2)
        desk.ask(1)
        told = []
        for _ in range(3):  # also while it rests
            desk.work(worker)
            worker.turn("intake")
            told.append(seen())
            clock.sleep(40)

        assert any(SECRET in each for each in told) is exposed
        assert type_ in told[-1]
        if not exposed:
            [asked] = Envelope.from_bytes(
                desk.workflow.start(Question(text="why?"), workflow_id="1").body
            ).contributions
            records = [each for each in caplog.records if getattr(each, "event_id", "") == asked.event_id.hex()]
            assert any(SECRET in logging.Formatter().format(each) for each in records)
            assert f"event id {asked.event_id.hex()}" in told[-1]
        worker.handlers.close()


@pytest.mark.parametrize("exposed", [False, True])
def test_what_a_database_says_of_a_commit_is_told_by_the_log_alone(clock, caplog, tmp_path, exposed):
    with DATABASES["postgresql"](tmp_path) as url, Store.open(url) as store:
        desk = Desk(store, clock)
        with store.begin() as transaction:
            transaction.execute(text("ALTER TABLE note ADD UNIQUE (text) DEFERRABLE INITIALLY DEFERRED"))
        desk.handler = lambda context: note(context, SECRET) or note(context, SECRET) or agree(context)
        worker = desk.worker(policy=replace(POLICY, expose_errors=exposed), attempts=1)
        desk.ask(1)
        worker.performer.turn()
        with pytest.raises(StoreError) as trouble:
            worker.performer.turn()
        desk.work(worker)

        [dead] = desk.letters
        assert dead.letter.error_type == "StoreError"
        assert (SECRET in f"{trouble.value}{everything(store)}") is exposed
        assert SECRET in caplog.text


@pytest.mark.parametrize("way", [stored, storelessly])
@pytest.mark.parametrize("exposed", [False, True])
def test_what_is_wrong_with_a_message_is_told_by_the_log_alone(clock, caplog, way, exposed):
    with way(Desk, clock) as (desk, _):
        broker = desk.broker or SimulatedBroker(keeps=True)
        desk.broker = broker
        worker = desk.worker(policy=replace(POLICY, expose_errors=exposed))
        broker.put(Copy("desk.answer", b"{}", content_type=SECRET))
        desk.work(worker)
        worker.turn("intake")

        told = desk.letters[0].letter.error_message if desk.store else broker.buried[0][1]
        assert (SECRET in told) is exposed
        assert "WireError" in (desk.letters[0].letter.error_type if desk.store else told)
        assert SECRET in caplog.text


@pytest.mark.parametrize("kind", [Desk, AsyncDesk])
def test_a_simulation_tells_what_a_worker_tells(caplog, failure, kind):
    handler, type_ = failure
    desk = kind(None, Clock())
    desk.handler = handler
    for exposed in (False, True):
        caplog.clear()
        policy = replace(POLICY, expose_errors=exposed)
        simulation = Simulation(desk.workflow, policy=policy, clock=VirtualClock())
        simulation.start(Question(text="why?"), workflow_id="1")
        waiting = simulation.run(within=timedelta(seconds=1)).waiting
        final = simulation.run().final("1")
        told = repr((waiting, list(map(str, waiting)), simulation.dead_letters, bytes(final), final.state()))
        assert (SECRET in told) is exposed
        assert final.contributions[-1].attributes["error.type"] == type_
        if not exposed:
            cause = final.contributions[-1].causes[0].hex()
            assert final.state()["answer.failure"]["detail"] == {"event_id": cause}
            assert cause in final.contributions[-1].attributes["error.message"]
            assert SECRET in caplog.text


@pytest.mark.parametrize("value", ["no", 0, None, "false"])
def test_whether_errors_are_told_is_true_or_false(value):
    with pytest.raises(InputError, match="expose_errors: expected True or False"):
        Policy(expose_errors=value)


def test_errors_are_told_by_default():
    assert Policy().expose_errors
