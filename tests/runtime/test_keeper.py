"""What is done from time to time: leases are renewed, and what is old goes."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from stamp.errors import StoreError
from stamp.runtime import keeper as module
from stamp.runtime import pace, performer
from stamp.runtime.keeper import PRUNED, PRUNING

from .protocol.clock import Clock
from .protocol.desk import POLICY, Answer, Desk
from .protocol.moments import lose_the_database
from .protocol.store import SimulatedStore


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for each in (module, pace, performer):
        monkeypatch.setattr(each, "monotonic", clock.seconds)
    return clock


@pytest.fixture
def store():
    with SimulatedStore.open("sqlite://") as store:
        yield store


@pytest.fixture
def desk(store, clock):
    desk = Desk(store, clock)
    desk.handler = lambda context: Answer(text="yes")
    return desk


def test_a_work_stays_with_a_worker_that_lives(desk, clock):
    worker, other = desk.worker(), desk.worker()
    desk.ask(1)
    worker.turn("performer")

    for _ in range(10):
        clock.sleep(worker.staff.keeper.pause)
        worker.turn("keeper")
        assert not other.turn("performer")
    worker.turn("performer")

    assert desk.events == [("Answered", "1")]


def test_a_work_of_a_worker_that_is_gone_is_done_by_another(desk, clock):
    worker, other = desk.worker(), desk.worker()
    desk.ask(1)
    worker.turn("performer")

    clock.sleep(POLICY.lease)

    assert other.turn("performer")
    other.turn("performer")
    assert desk.events == [("Answered", "1")]


def test_it_has_two_more_tries_to_renew_a_lease_that_it_could_not_renew(desk):
    assert 2 * desk.worker().staff.keeper.pause < POLICY.lease


def test_a_lease_that_was_lost_is_not_renewed(desk, clock):
    worker, other = desk.worker(), desk.worker()
    desk.ask(1)
    worker.turn("performer")
    clock.sleep(POLICY.lease)
    other.turn("performer")

    worker.turn("keeper")
    clock.sleep(POLICY.lease)

    assert desk.worker().turn("performer")


def test_who_holds_a_work_for_too_long_loses_it_and_what_it_did(desk, clock, caplog):
    worker, other = desk.worker(patience=100), desk.worker()
    desk.ask(1)
    worker.turn("performer")
    for _ in range(11):
        worker.turn("keeper")
        assert not other.turn("performer")
        clock.sleep(10)
    for _ in range(3):
        worker.turn("keeper")
        clock.sleep(10)

    assert other.turn("performer")
    assert "held for more than 100 s" in caplog.text
    worker.turn("performer")
    assert desk.events == []
    other.turn("performer")
    assert desk.events == [("Answered", "1")]


def test_it_is_told_once_that_a_work_is_held_for_too_long(desk, clock, caplog):
    worker = desk.worker(patience=100)
    desk.ask(1)
    worker.turn("performer")
    for _ in range(30):
        worker.turn("keeper")
        clock.sleep(10)

    assert caplog.text.count("held for more than") == 1


def test_nothing_is_written_when_nothing_is_held(desk, store, clock):
    worker = desk.worker()
    worker.turn("keeper")
    store.at = lose_the_database

    worker.staff.keeper.turn()


def test_a_database_that_is_gone_is_told(desk, store):
    worker = desk.worker()
    desk.ask(1)
    worker.turn("performer")
    store.at = lose_the_database

    with pytest.raises(StoreError):
        worker.staff.keeper.turn()


def rows(desk):
    with desk.store.read() as connection:
        return connection.execute(text("SELECT count(*) FROM stamp_inbox")).scalar_one()


def test_what_is_done_and_older_than_the_horizon_goes(desk, clock):
    worker = desk.worker(horizon=1_000)
    desk.ask(*range(3))
    desk.work(worker)
    worker.turn("keeper")
    assert (rows(desk), len(desk.events)) == (3, 3)

    clock.sleep(1_001)
    worker.turn("keeper")

    assert (rows(desk), len(desk.events)) == (0, 0)


def test_what_waits_stays_however_old_it_is(desk, clock):
    worker = desk.worker(horizon=1_000)
    desk.ask(1)

    clock.sleep(10_000)
    worker.turn("keeper")

    assert rows(desk) == 1


def test_it_is_looked_for_old_rows_now_and_then_and_all_go(desk, clock):
    worker = desk.worker(horizon=1_000)
    worker.turn("keeper")
    with desk.store.begin() as transaction:
        transaction.execute(MANY, {"count": 2 * PRUNED + 1})

    worker.turn("keeper")
    assert rows(desk) == 2 * PRUNED + 1
    clock.sleep(PRUNING)
    worker.turn("keeper")

    assert rows(desk) == 0


MANY = text(
    """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
    INSERT INTO stamp_inbox (consumer, event_id, workflow, workflow_id, event, state, arrived_at, done_at)
    SELECT 'desk.answer', CAST(n AS BLOB), 'desk', '', 'Asked', 2, 0, 0 FROM numbers
    """
)
