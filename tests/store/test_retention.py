"""What every database must forget, and keep; and how it counts what is left to do."""

from __future__ import annotations

from sqlalchemy import func, select

from stamp.store import dead_letters, finals, inbox, outbox, retention
from stamp.store.backlog import backlog
from stamp.store.letter import Letter
from stamp.store.tables import CONTENTS, FINALS, INBOX

VALIDATION, BILLING = "ticket.validation", "ticket.billing"
LETTER = Letter("no-envelope", "WireError", "expected an envelope")


def do(store, message, numbers, *, now):
    """Have events of these numbers come and be done at `now`."""
    with store.begin() as tx:
        inbox.put(tx, [(VALIDATION, message(each)) for each in numbers], now=now)
        inbox.complete(tx, inbox.take(tx, [VALIDATION], limit=1_000, now=now, lease=1), now=now)


def prune(store, *, before, limit=1_000):
    with store.begin() as tx:
        return retention.prune(tx, before=before, limit=limit)


def count(store, table):
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


class TestPrune:
    def test_old_work_that_is_done_and_old_finals_go(self, store, message):
        do(store, message, [1, 2], now=10)
        do(store, message, [3], now=20)
        with store.begin() as tx:
            finals.put(tx, [message(1)], now=10)
            finals.put(tx, [message(2)], now=20)

        assert prune(store, before=20) == 3
        assert prune(store, before=20) == 0
        assert (count(store, INBOX), count(store, FINALS)) == (1, 1)

    def test_not_more_than_allowed_go_at_once(self, store, message):
        do(store, message, range(5), now=10)
        with store.begin() as tx:
            finals.put(tx, [message(each) for each in range(4)], now=10)

        assert [prune(store, before=20, limit=3) for _ in range(4)] == [3, 3, 3, 0]

    def test_what_waits_is_at_work_dead_or_not_received_stays(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(1)), (VALIDATION, message(2)), (VALIDATION, message(3))], now=1)
            _, parked = inbox.take(tx, [VALIDATION], limit=2, now=1, lease=1)
            inbox.park(tx, parked, LETTER, now=1)
            outbox.put(tx, [(message(1), VALIDATION)], now=1, resend_at=1)

        assert prune(store, before=10**15) == 0
        assert count(store, INBOX) == 3

    def test_the_content_of_what_is_done_or_discarded_is_gone_at_once(self, store, message):
        do(store, message, [1, 2], now=10)
        with store.begin() as tx:
            dead_letters.bury(tx, VALIDATION, message(3), LETTER, now=10)
            [letter] = dead_letters.find(tx)
            dead_letters.discard(tx, letter, now=10)

        assert count(store, CONTENTS) == 0
        assert prune(store, before=20) == 3

    def test_an_event_whose_row_is_gone_is_new(self, store, message):
        do(store, message, [1], now=10)
        prune(store, before=20)

        with store.begin() as tx:
            assert inbox.put(tx, [(VALIDATION, message(1))], now=30) == 1

    def test_numbers_are_not_used_again(self, store, message):
        do(store, message, [1], now=10)
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(2))], now=10)
            [old] = inbox.take(tx, [VALIDATION], limit=1, now=10, lease=1)
            inbox.complete(tx, [old], now=10)
        prune(store, before=20)

        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(3))], now=30)
            [new] = inbox.take(tx, [VALIDATION], limit=1, now=30, lease=1)
            assert new.number > old.number
            assert inbox.complete(tx, [old], now=31) == [old]


class TestBacklog:
    def test_nothing_is_no_backlog(self, store, message):
        do(store, message, [1], now=10)

        with store.read() as connection:
            assert backlog(connection) == {}

    def test_each_consumers_is_counted_by_what_becomes_of_it(self, store, message):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, message(each)) for each in range(4)], now=7)
            inbox.put(tx, [(VALIDATION, message(4)), (BILLING, message(4))], now=9)
            first, second, third = inbox.take(tx, [VALIDATION], limit=3, now=10, lease=60)
            inbox.park(tx, first, LETTER, now=10)
            inbox.complete(tx, [second], now=10)
            inbox.postpone(tx, third, until=100, error="no answer")
            inbox.take(tx, [VALIDATION], limit=1, now=10, lease=60)

        with store.read() as connection:
            assert backlog(connection) == {BILLING: (1, 0, 0, 9), VALIDATION: (2, 1, 1, 7)}
