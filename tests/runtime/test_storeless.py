"""Work without a store: at least once, answered to the broker before it is acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from stamp import Fail
from stamp.errors import DeliveryError
from stamp.runtime import directory, missing_schemas, pace, storeless
from stamp.runtime.publisher import Publisher
from stamp.runtime.recollection import Recollection

from .protocol.broker import Copy, SimulatedBroker
from .protocol.clock import Clock
from .protocol.desk import Answer, Desk, of_another_release
from .protocol.moments import lose_the_broker


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for each in (directory, missing_schemas, pace, storeless):
        monkeypatch.setattr(each, "monotonic", clock.seconds)
    return clock


@pytest.fixture
def broker():
    return SimulatedBroker(keeps=True)


@pytest.fixture
def desk(clock, broker):
    desk = Desk(None, clock, broker=broker)
    desk.handler = lambda context: Answer(text="yes")
    return desk


def answers(broker):
    """What was offered to whoever is interested, beside the questions themselves."""
    return [(each.message.event, each.message.workflow_id) for each in broker.offered if not each.queues]


def raising(*errors):
    left = list(errors)

    def handler(context):
        if left:
            raise left.pop(0)
        return Answer(text="yes")

    return handler


def work(desk, worker):
    desk.work(worker)
    worker.turn("intake")


def test_a_work_is_answered_and_then_acknowledged(desk, broker):
    worker = desk.worker()
    desk.ask(1, 2)

    work(desk, worker)

    assert answers(broker) == [("Answered", "1"), ("Answered", "2")]
    assert broker.is_empty


def test_an_answer_that_is_not_confirmed_is_sent_again_and_its_handler_is_not_called_again(desk, broker):
    calls = []
    desk.handler = lambda context: calls.append(1) or Answer(text="yes")
    worker = desk.worker()
    desk.ask(1)
    worker.turn("intake")
    broker.at = lambda passed: lose_the_broker(passed) if passed == "before confirm" else None

    with pytest.raises(DeliveryError):
        worker.performer.turn()
    assert not worker.performer.is_connected
    assert not broker.is_empty
    broker.at = lambda passed: None
    work(desk, worker)

    assert answers(broker) == [("Answered", "1")] * 2
    assert len(calls) == 1
    assert broker.is_empty


def test_a_work_is_tried_again_after_a_rest(desk, broker, clock):
    desk.handler = raising(ValueError("no"))
    worker = desk.worker(attempts=2)
    desk.ask(1)
    work(desk, worker)
    assert answers(broker) == []

    clock.sleep(10)
    work(desk, worker)

    assert answers(broker) == [("Answered", "1")]
    assert broker.is_empty


def test_after_the_last_attempt_a_message_is_buried_and_the_failure_is_published(desk, broker, clock):
    desk.handler = raising(*[ValueError("no expert free")] * 2)
    worker = desk.worker(attempts=2)
    desk.ask(1)
    for _ in range(2):
        work(desk, worker)
        clock.sleep(40)

    [(copy, reason)] = broker.buried
    assert copy.queue == "desk.answer"
    assert reason == "attempts-exhausted: ValueError: no expert free"
    assert answers(broker) == [("answer.failed", "1")]
    assert broker.is_empty


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError])
def test_a_handler_cannot_end_its_worker(desk, broker, kind):
    desk.handler = raising(kind("enough"))
    worker = desk.worker(attempts=1)
    desk.ask(1, 2)

    work(desk, worker)

    assert len(broker.buried) == 1
    assert sorted(answers(broker)) == [("Answered", "2"), ("answer.failed", "1")]


def test_a_message_that_no_worker_lives_through_is_buried_in_the_end(desk, broker):
    calls = []
    desk.handler = lambda context: calls.append(1) or Answer(text="yes")
    desk.ask(1, 2)
    [queue] = broker.queues
    killer, harmless = broker.queues[queue]
    broker.queues[queue] = [replace(killer, deliveries=storeless.DELIVERIES), replace(harmless, deliveries=7)]

    work(desk, desk.worker())

    [(copy, reason)] = broker.buried
    assert copy.body == killer.body
    assert reason.startswith("worker-died: StampError: answer: expected a worker to live through this work")
    assert answers(broker) == [("answer.failed", "1"), ("Answered", "2")]
    assert len(calls) == 1


def test_performers_of_one_worker_remember_together():
    recollection = Recollection()
    one, other = ("desk.answer", b"1"), ("desk.answer", b"2")

    assert [recollection.failed(one), recollection.failed(one), recollection.failed(other)] == [1, 2, 1]
    recollection.done(one)
    recollection.forget(other)

    assert [recollection.is_done(each) for each in (one, other)] == [True, False]
    assert [recollection.failures(each) for each in (one, other)] == [0, 0]


class UnspeakableError(Exception):
    def __str__(self):
        raise AttributeError("message")


def test_an_error_that_cannot_be_told_is_one_like_any_other(desk, broker):
    desk.handler = raising(UnspeakableError())
    worker = desk.worker(attempts=1)
    desk.ask(1)

    work(desk, worker)

    [(_, reason)] = broker.buried
    assert "UnspeakableError" in reason


def test_what_is_written_with_an_unknown_schema_waits_in_memory_until_it_is_announced(desk, broker, clock):
    start, other = of_another_release()
    desk._publish(start)
    worker = desk.worker(attempts=1)
    for _ in range(20):
        work(desk, worker)
        clock.sleep(90)
    assert (broker.buried, answers(broker)) == ([], [])
    assert len(worker.staff.missing.troubles) == 1

    with Publisher(other, broker=broker) as publisher:
        publisher.publish(start)
    clock.sleep(6)
    work(desk, worker)

    assert set(answers(broker)) == {("Answered", "1")}  # published twice, and both came at once
    assert broker.is_empty


def test_after_the_patience_for_schemas_it_is_buried(desk, broker, clock):
    desk._publish(of_another_release()[0])
    worker = desk.worker(schema_patience=60)
    work(desk, worker)
    assert broker.buried == []
    clock.sleep(61)
    work(desk, worker)

    [(_, reason)] = broker.buried
    assert reason.startswith("unknown-schema: UnknownSchemaError: ")
    assert answers(broker) == [("answer.failed", "1")]


def test_a_failure_of_business_is_an_answer(desk, broker):
    desk.handler = raising(Fail("no expert free"))
    worker = desk.worker()
    desk.ask(1)

    work(desk, worker)

    assert answers(broker) == [("answer.failed", "1")]
    assert broker.buried == []


def test_what_is_no_event_is_buried_as_it_came(desk, broker):
    worker = desk.worker()
    broker.put(Copy("desk.answer", b"\x1f\x8b", {"compression": "application/x-gzip"}))

    work(desk, worker)

    [(copy, reason)] = broker.buried
    assert copy.body == b"\x1f\x8b"
    assert reason.startswith("no-envelope: ")


def test_a_handler_that_wants_a_transaction_is_told_that_there_is_none(desk, broker):
    desk.handler = lambda context: context.transaction
    worker = desk.worker()
    desk.ask(1)

    work(desk, worker)

    [(_, reason)] = broker.buried
    assert "expected a store" in reason


def test_a_repeat_is_acknowledged_and_not_done_again(desk, broker):
    calls = []
    desk.handler = lambda context: calls.append(1) or Answer(text="yes")
    worker = desk.worker()
    desk.ask(1)
    work(desk, worker)
    desk.ask(1)

    work(desk, worker)

    assert len(calls) == 1
    assert broker.is_empty


def test_an_event_that_another_one_of_its_id_has_overtaken_is_buried(desk, broker):
    calls = []
    desk.handler = lambda context: calls.append(1) or Answer(text="yes")
    worker = desk.worker()
    broker.put(Copy("desk.answer", desk.overtaking("1").body))
    work(desk, worker)
    desk.ask(1)

    work(desk, worker)

    [(copy, reason)] = broker.buried
    assert reason.startswith("used-event-id: UsedEventIdError: expected an event of an id of its own")
    assert copy.body != desk.overtaking("1").body
    assert len(calls) == 1


def test_a_repeat_of_what_was_buried_is_worked_on(desk, broker):
    desk.handler = raising(ValueError("no"))
    worker = desk.worker(attempts=1)
    desk.ask(1)
    work(desk, worker)
    [(copy, _)] = broker.buried
    broker.put(copy)

    work(desk, worker)

    assert answers(broker)[-1] == ("Answered", "1")


def test_an_answer_that_the_broker_refuses_is_tried_again(desk, broker, clock):
    worker = desk.worker()
    desk.ask(1)
    broker.refusals = 1
    work(desk, worker)
    assert not broker.is_empty

    clock.sleep(10)
    work(desk, worker)

    assert answers(broker) == [("Answered", "1")]
    assert broker.is_empty


def test_an_answer_that_the_broker_never_takes_is_not_tried_for_ever(desk, broker, clock):
    calls = []
    desk.handler = lambda context: calls.append(1) or Answer(text="yes")
    worker = desk.worker(attempts=3)
    desk.ask(1)
    broker.refusals = 1_000
    for _ in range(10):
        work(desk, worker)
        clock.sleep(40)

    [(_, reason)] = broker.buried
    assert reason == "attempts-exhausted: DeliveryError: there is no room"
    assert len(calls) == 3
    assert broker.is_empty


def test_what_rests_when_a_connection_is_lost_comes_again_and_is_done_once(desk, broker, clock):
    desk.handler = raising(ValueError("no"))
    worker = desk.worker()
    desk.ask(1)
    work(desk, worker)
    worker.staff.intake.disconnect()
    work(desk, worker)

    clock.sleep(40)
    work(desk, worker)

    assert answers(broker) == [("Answered", "1")]
    assert broker.is_empty


def test_a_slow_work_does_not_hold_up_answers_that_are_there(desk, broker, clock):
    seen = []

    def handler(context):
        seen.append(len(answers(broker)))
        clock.sleep(1)
        return Answer(text="yes")

    desk.handler = handler
    worker = desk.worker()
    desk.ask(1, 2, 3)

    work(desk, worker)

    assert seen == [0, 1, 2]


def test_what_fails_slowly_does_not_keep_a_worker_from_stopping(desk, clock):
    calls = []

    def handler(context):
        calls.append(1)
        clock.sleep(1)
        raise ValueError("no")

    desk.handler = handler
    worker = desk.worker()
    desk.ask(*range(10))
    worker.turn("intake")

    assert worker.turn("performer")
    assert len(calls) == 1


def test_what_is_not_done_at_the_end_comes_again_elsewhere(desk, broker):
    worker = desk.worker()
    desk.ask(1)
    worker.turn("intake")

    assert not worker.performer.turn(take=False)
    worker.performer.release()
    worker.staff.intake.disconnect()

    work(desk, desk.worker())
    assert answers(broker) == [("Answered", "1")]


def test_nothing_is_busy_when_there_is_nothing(desk):
    assert not desk.worker().turn("performer")
