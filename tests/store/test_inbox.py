"""What every database must do with work."""

from __future__ import annotations

import pytest

from stamp.store import dead_letters, inbox
from stamp.store.letter import Letter

LETTER = Letter("exhausted", "ValueError", "no expert free")


def numbers(works):
    return [work.number for work in works]


def take(store, *consumers, now=10, limit=100, lease=60):
    with store.begin() as tx:
        return inbox.take(tx, consumers or ["ticket.validation"], limit=limit, now=now, lease=lease)


@pytest.fixture
def put(store, message):
    """Return what puts messages of these runs in, each a new event."""
    count = iter(range(1, 1_000_000))

    def put(*runs, consumer="ticket.validation", now=1):
        with store.begin() as tx:
            return inbox.put(tx, [(consumer, message(next(count), run=run)) for run in runs], now=now)

    return put


def test_what_was_put_in_is_taken_as_it_was(store, message):
    given = message(1, run="4729", body=bytes(range(256)))

    with store.begin() as tx:
        assert inbox.put(tx, [("ticket.validation", given)], now=7) == 1

    [work] = take(store)
    assert work.message == given
    assert (work.consumer, work.attempt, work.arrived_at) == ("ticket.validation", 1, 7)


def test_an_event_is_in_once_for_each_consumer(store, message):
    entries = [("ticket.validation", message(1)), ("ticket.billing", message(1)), ("ticket.validation", message(1))]

    with store.begin() as tx:
        assert inbox.put(tx, entries, now=1) == 2
    with store.begin() as tx:
        assert inbox.put(tx, entries, now=2) == 0

    assert {work.consumer for work in take(store, "ticket.validation", "ticket.billing")} == {
        "ticket.validation",
        "ticket.billing",
    }


def test_a_later_message_of_a_run_waits_for_the_earlier_one(store, put):
    put("a", "a", "b", "", "")

    first = take(store)
    with store.begin() as tx:
        assert not inbox.complete(tx, first[:1], now=11)
    second = take(store)

    assert [work.message.workflow_id for work in first] == ["a", "b", "", ""]
    assert [work.message.workflow_id for work in second] == ["a"]


def test_work_of_a_dead_worker_is_taken_again_and_then_lost_to_it(store, put):
    put("a")

    lost = take(store, now=10, lease=60)
    assert not take(store, now=69)
    found = take(store, now=70)

    assert numbers(found) == numbers(lost)
    assert found[0].attempt == 2
    with store.begin() as tx:
        assert inbox.complete(tx, lost, now=71) == lost
        assert not inbox.complete(tx, found, now=71)


def test_postponed_work_rests_and_holds_its_run_up(store, put):
    put("a", "a")
    [work] = take(store, now=10)

    with store.begin() as tx:
        assert inbox.postpone(tx, work, until=1_000, error="no answer")

    assert not take(store, now=999)
    assert take(store, now=1_000)[0].attempt == 2


def test_a_dead_letter_does_not_hold_its_run_up(store, put):
    put("a", "a")
    [work] = take(store)

    with store.begin() as tx:
        assert inbox.park(tx, work, LETTER, now=11)

    assert numbers(take(store)) == [2]
    with store.read() as connection:
        [dead] = dead_letters.find(connection)
    assert (dead.message, dead.letter, dead.attempts, dead.first_at, dead.last_at) == (work.message, LETTER, 1, 1, 11)


def test_released_work_counts_as_not_taken(store, put):
    put("a")
    works = take(store)

    with store.begin() as tx:
        inbox.release(tx, works)

    assert [work.attempt for work in take(store)] == [1]


def test_an_extended_lease_keeps_others_off(store, put):
    put("a")
    works = take(store, now=10, lease=60)

    with store.begin() as tx:
        inbox.extend(tx, works, until=200)

    assert not take(store, now=199)
    assert take(store, now=200)
