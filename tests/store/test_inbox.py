"""What every database must do with work."""

from __future__ import annotations

from contextlib import suppress

import pytest

from stamp.store import dead_letters, inbox
from stamp.store.letter import Letter

VALIDATION, BILLING = "ticket.validation", "ticket.billing"
LETTER = Letter("attempts-exhausted", "ValueError", "no expert free", "Traceback ...", "v2", "reads/ticket.avsc")


def take(store, *consumers, now=10, limit=100, lease=60):
    with store.begin() as tx:
        return inbox.take(tx, consumers or [VALIDATION], limit=limit, now=now, lease=lease)


def is_due(store, *consumers, now=10):
    with store.read() as connection:
        return inbox.is_due(connection, consumers or [VALIDATION], now=now)


def runs(works):
    return [work.message.workflow_id for work in works]


@pytest.fixture
def put(store, message):
    """Return what puts messages of these runs in, each a new event."""
    count = iter(range(1, 1_000_000))

    def put(*runs, consumer=VALIDATION, now=1):
        with store.begin() as tx:
            return inbox.put(tx, [(consumer, message(next(count), run=run)) for run in runs], now=now)

    return put


class TestPut:
    def test_nothing_is_nothing(self, store):
        with store.begin() as tx:
            assert inbox.put(tx, [], now=1) == 0

    @pytest.mark.parametrize("body", [b"", bytes(range(256)), bytes(100_000)], ids=["empty", "bytes", "large"])
    def test_a_message_is_taken_as_it_was_put_in(self, store, message, body):
        given = message(run="4729", body=body)

        with store.begin() as tx:
            assert inbox.put(tx, [(VALIDATION, given)], now=7) == 1

        [work] = take(store)
        assert work.message == given
        assert (work.consumer, work.attempt, work.failures, work.arrived_at) == (VALIDATION, 1, 0, 7)

    def test_another_event_of_the_same_id_is_told_from_a_repeat(self, store, message):
        same, other, new = message(), message(body=b"other"), message(2)
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, same), (BILLING, other)], now=1)
        entries = [(VALIDATION, same), (VALIDATION, other), (BILLING, other), (BILLING, same), (BILLING, new)]

        with store.begin() as tx:
            assert inbox.put(tx, entries, now=2) == 1
            assert inbox.others(tx, entries) == [(VALIDATION, other), (BILLING, same)]

    def test_of_two_that_come_together_the_second_is_another(self, store, message):
        entries = [(VALIDATION, message()), (VALIDATION, message(body=b"other")), (VALIDATION, message())]

        with store.begin() as tx:
            assert inbox.put(tx, entries, now=1) == 1
            assert inbox.others(tx, entries) == [entries[1]]

    def test_it_is_known_when_the_work_is_done(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message())], now=1)
        works = take(store)
        with store.begin() as tx:
            inbox.complete(tx, works, now=11)
            assert inbox.others(tx, [(VALIDATION, message(body=b"other"))])

    def test_an_event_is_in_once_for_each_consumer(self, store, message):
        entries = [(VALIDATION, message()), (BILLING, message()), (VALIDATION, message())]

        with store.begin() as tx:
            assert inbox.put(tx, entries, now=1) == 2
        with store.begin() as tx:
            assert inbox.put(tx, entries, now=2) == 0

        assert {work.consumer for work in take(store, VALIDATION, BILLING)} == {VALIDATION, BILLING}

    def test_new_messages_among_known_ones_are_put_in(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(2, body=b"two"))], now=1)
            assert inbox.put(tx, [(VALIDATION, message(each)) for each in (1, 2, 3)], now=2) == 2

        assert [work.message.event_id for work in take(store)] == [message(each).event_id for each in (2, 1, 3)]

    def test_an_event_that_is_done_or_dead_is_known(self, store, put, message):
        put("a", "b")
        done, dead = take(store)
        with store.begin() as tx:
            inbox.complete(tx, [done], now=11)
            inbox.park(tx, dead, LETTER, now=11)

        with store.begin() as tx:
            assert inbox.put(tx, [(VALIDATION, done.message), (VALIDATION, dead.message)], now=12) == 0
        assert not take(store, now=1_000)

    def test_what_is_rolled_back_was_not_put_in(self, store, message):
        with suppress(ZeroDivisionError), store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message())], now=1)
            raise ZeroDivisionError

        assert not take(store)


class TestOrder:
    def test_messages_are_taken_in_the_order_of_their_arrival_across_consumers(self, store, put):
        for consumer in (BILLING, VALIDATION, BILLING, VALIDATION):
            put("", "", consumer=consumer)

        works = take(store, VALIDATION, BILLING, limit=5) + take(store, VALIDATION, BILLING)

        assert [work.number for work in works] == sorted(work.number for work in works)
        assert [work.consumer for work in works] == [each for each in (BILLING, VALIDATION) * 2 for _ in "12"]

    def test_a_consumer_gets_its_own_only_and_each_message_once(self, store, put):
        put("", consumer=VALIDATION)
        put("", "", consumer=BILLING)

        assert len(take(store, BILLING, BILLING)) == 2
        assert not take(store, BILLING)
        assert not take(store, "nobody")
        with store.begin() as tx:
            assert inbox.take(tx, [], limit=1, now=1, lease=1) == []

    def test_no_more_are_taken_than_asked_for(self, store, put):
        put(*[""] * 5)
        put(*[""] * 5, consumer=BILLING)

        assert [len(take(store, VALIDATION, BILLING, limit=4)) for _ in range(4)] == [4, 4, 2, 0]

    def test_of_a_run_only_the_first_unfinished_message_is_due(self, store, put):
        put("a", "a", "b", "", "")

        first = take(store)
        assert runs(first) == ["a", "b", "", ""]
        assert not take(store)
        with store.begin() as tx:
            inbox.complete(tx, first[:1], now=11)

        assert runs(take(store)) == ["a"]

    def test_the_next_of_a_run_is_due_within_the_transaction_that_completes_the_first(self, store, put):
        put("a", "a")
        works = take(store)

        with store.begin() as tx:
            inbox.complete(tx, works, now=11)
            assert runs(inbox.take(tx, [VALIDATION], limit=9, now=11, lease=60)) == ["a"]

    def test_the_same_run_at_another_consumer_is_another_order(self, store, put):
        put("a")
        put("a", consumer=BILLING)

        assert len(take(store, VALIDATION, BILLING)) == 2

    def test_a_long_run_is_worked_off_in_order(self, store, put):
        put(*["a"] * 20)
        seen = []
        for now in range(20):
            [work] = take(store, now=now)
            seen.append(work.number)
            with store.begin() as tx:
                assert not inbox.complete(tx, [work], now=now)

        assert seen == sorted(seen)
        assert not take(store, now=100)


class TestLease:
    def test_what_was_not_finished_in_time_is_taken_again_and_lost_to_the_first(self, store, put):
        put("a")

        lost = take(store, now=10, lease=60)
        assert not take(store, now=69)
        found = take(store, now=70)

        assert [(work.number, work.fence, work.attempt) for work in found] == [(lost[0].number, lost[0].fence + 1, 2)]
        with store.begin() as tx:
            assert inbox.complete(tx, lost, now=71) == lost
            assert not inbox.complete(tx, found, now=71)

    def test_work_may_be_completed_after_its_lease_if_nobody_has_taken_it(self, store, put):
        put("a")
        works = take(store, now=10, lease=60)

        with store.begin() as tx:
            assert not inbox.complete(tx, works, now=1_000)

    def test_a_renewed_lease_keeps_others_off(self, store, put):
        put("a", "b")
        works = take(store, now=10, lease=60)

        with store.begin() as tx:
            inbox.extend(tx, works, until=200)

        assert not take(store, now=199)
        assert len(take(store, now=200)) == 2

    def test_a_lost_lease_is_not_renewed(self, store, put):
        put("a")
        lost = take(store, now=10, lease=60)
        take(store, now=70, lease=60)

        with store.begin() as tx:
            inbox.extend(tx, lost, until=10_000)

        assert take(store, now=130)


class TestComplete:
    def test_only_lost_work_is_named(self, store, put):
        put("a", "b", "c")
        works = take(store)
        with store.begin() as tx:
            inbox.release(tx, works[1:2])

        with store.begin() as tx:
            assert inbox.complete(tx, works, now=11) == works[1:2]

    def test_work_that_is_completed_is_lost_to_whoever_completes_it_again(self, store, put):
        put("a", "b")
        works = take(store)

        with store.begin() as tx:
            assert not inbox.complete(tx, works[:1], now=11)
            assert inbox.complete(tx, works, now=11) == works[:1]
        with store.begin() as tx:
            assert inbox.complete(tx, works, now=11) == works

    def test_work_given_twice_is_completed_once(self, store, put):
        put("a")
        works = take(store)

        with store.begin() as tx:
            assert not inbox.complete(tx, works * 2, now=11)

    def test_nothing_is_completed_with_nothing(self, store):
        with store.begin() as tx:
            assert not inbox.complete(tx, [], now=1)


class TestGivingBack:
    def test_postponed_work_rests_and_holds_its_run_up(self, store, put):
        put("a", "a")
        [work] = take(store, now=10)

        with store.begin() as tx:
            assert inbox.postpone(tx, work, until=1_000, error="no answer \0 \ud800")
            assert not inbox.postpone(tx, work, until=1, error="twice")

        assert not take(store, now=999)
        [again] = take(store, now=1_000)
        assert (again.number, again.attempt, again.failures) == (work.number, 2, 1)

    def test_released_work_counts_as_not_taken(self, store, put):
        put("a", "b")
        works = take(store)

        with store.begin() as tx:
            inbox.release(tx, works)
            inbox.release(tx, works)

        assert [(work.attempt, work.failures) for work in take(store)] == [(1, 0), (1, 0)]

    def test_a_dead_message_does_not_hold_its_run_up(self, store, put):
        put("a", "a")
        [work] = take(store)

        with store.begin() as tx:
            assert inbox.park(tx, work, LETTER, now=11)
            assert not inbox.park(tx, work, LETTER, now=12)

        assert runs(take(store)) == ["a"]
        with store.read() as connection:
            [dead] = dead_letters.find(connection)
        assert (dead.message, dead.consumer, dead.letter, dead.attempts) == (work.message, VALIDATION, LETTER, 1)
        assert (dead.first_at, dead.last_at) == (1, 11)

    @pytest.mark.parametrize("what", ["complete", "postpone", "back_off", "park", "release"])
    def test_what_was_given_back_is_no_more_the_callers(self, store, put, what):
        put("a")
        [work] = take(store)
        with store.begin() as tx:
            inbox.release(tx, [work])

        with store.begin() as tx:
            refused = {
                "complete": lambda: inbox.complete(tx, [work], now=11) == [work],
                "back_off": lambda: not inbox.back_off(tx, work, until=100, error=""),
                "postpone": lambda: not inbox.postpone(tx, work, until=100, error=""),
                "park": lambda: not inbox.park(tx, work, LETTER, now=11),
                "release": lambda: inbox.release(tx, [work]) is None,
            }[what]()

        assert refused
        assert take(store)[0].attempt == 1


class TestBackOff:
    def test_work_rests_as_if_it_had_not_been_tried(self, store, put):
        put("a")
        [work] = take(store)
        with store.begin() as tx:
            assert inbox.back_off(tx, work, until=500, error="no schema")

        assert take(store, now=499) == []
        [again] = take(store, now=500)
        assert (again.attempt, again.failures) == (1, 0)

    def test_a_later_event_of_the_run_waits_for_it(self, store, put):
        put("a", "a")
        [work] = take(store)
        with store.begin() as tx:
            inbox.back_off(tx, work, until=500, error="no schema")

        assert take(store, now=499) == []
        assert [work.attempt for work in take(store, now=500)] == [1]

    def test_it_is_woken_by_what_it_waits_for(self, store, put):
        put("a", "b", "c")
        first, second, third = take(store)
        with store.begin() as tx:
            inbox.back_off(tx, first, until=500, error="no schema 0a")
            inbox.back_off(tx, second, until=500, error="no schema 0b")
            inbox.postpone(tx, third, until=500, error="no answer")

        with store.begin() as tx:
            assert inbox.wake(tx, [BILLING], "0a", now=20) == 0
            assert inbox.wake(tx, [VALIDATION, BILLING], "0a", now=20) == 1
        assert [work.number for work in take(store, now=20)] == [first.number]


class TestIsDue:
    def test_it_says_what_take_would_find(self, store, put):
        assert not is_due(store)
        put("a", "a")
        assert is_due(store)
        assert is_due(store, BILLING, VALIDATION)
        assert not is_due(store, BILLING)

        [work] = take(store, now=10, lease=60)
        assert not is_due(store, now=69)
        assert is_due(store, now=70)
        with store.begin() as tx:
            inbox.postpone(tx, work, until=500, error="")
        assert not is_due(store, now=499)
        assert is_due(store, now=500)

    def test_nobody_has_nothing_to_do(self, store, put):
        put("a")
        with store.read() as connection:
            assert not inbox.is_due(connection, [], now=10)
