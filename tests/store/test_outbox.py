"""What every database must do with events that go out."""

from __future__ import annotations

import pytest

from stamp.store import inbox, outbox
from stamp.store.backlog import unsent

VALIDATION, BILLING, NOBODY = "ticket.validation", "ticket.billing", ""


def twice_as_long(sends):
    return 100 * 2**sends


def due(store, now, *, limit=100, rest=twice_as_long):
    with store.begin() as tx:
        return outbox.due(tx, now=now, limit=limit, rest=rest)


@pytest.fixture
def put(store, message):
    """Return what puts events out, by number, to consumers."""

    def put(*entries, now=1, resend_at=50):
        with store.begin() as tx:
            outbox.put(tx, [(message(number), consumer) for number, consumer in entries], now=now, resend_at=resend_at)

    return put


def left(store):
    return {(each.message.event_id, each.consumer) for each in due(store, 10**15, rest=lambda _: 0)}


def test_what_is_not_received_is_due_again_as_it_was(store, message):
    given = message(run="4729", body=bytes(range(256)))
    with store.begin() as tx:
        outbox.put(tx, [(given, VALIDATION)], now=1, resend_at=50)

    assert due(store, 49) == []
    assert due(store, 50) == [(given, VALIDATION, 1)]


def test_nobody_else_gets_what_is_sent_again_until_it_has_rested(store, put):
    put((1, VALIDATION))

    assert [each.sends for each in due(store, 50)] == [1]
    assert due(store, 50 + 199) == []
    assert [each.sends for each in due(store, 50 + 200)] == [2]
    assert due(store, 250 + 399) == []
    assert [each.sends for each in due(store, 250 + 400)] == [3]


def test_each_event_rests_by_how_often_it_was_sent(store, put):
    put((1, VALIDATION))
    due(store, 50)
    put((2, VALIDATION), resend_at=240)

    assert sorted(each.sends for each in due(store, 250)) == [1, 2]
    assert [each.sends for each in due(store, 250 + 200)] == [2]


def test_what_has_waited_longest_goes_first(store, put, message):
    put((1, VALIDATION), resend_at=30)
    put((2, VALIDATION), resend_at=20)
    put((3, VALIDATION), resend_at=10)

    assert [each.message for each in due(store, 100, limit=2)] == [message(3), message(2)]


def test_an_event_is_out_once_for_each_consumer_and_stays_as_it_is(store, put):
    put((1, VALIDATION), (1, BILLING), (1, VALIDATION))
    put((1, VALIDATION), now=2, resend_at=10_000)

    assert sorted(each.consumer for each in due(store, 50)) == [BILLING, VALIDATION]


def test_nothing_may_be_put_finished_or_sent(store):
    with store.begin() as tx:
        outbox.put(tx, [], now=1, resend_at=1)
        outbox.finish(tx, [])
        outbox.sent(tx, [], resend_at=1)
        assert outbox.due(tx, now=1, limit=9, rest=twice_as_long) == []


def test_a_finished_event_is_forgotten_for_its_consumer(store, put, message):
    put((1, VALIDATION), (1, BILLING), (2, NOBODY), (3, NOBODY))

    with store.begin() as tx:
        outbox.finish(tx, [(message(1).event_id, VALIDATION), (message(2).event_id, NOBODY), (b"unknown", BILLING)])

    assert left(store) == {(message(1).event_id, BILLING), (message(3).event_id, NOBODY)}


def test_what_was_sent_is_due_when_it_has_rested(store, put, message):
    put((1, VALIDATION), (2, VALIDATION))

    with store.begin() as tx:
        outbox.sent(tx, [(message(1).event_id, VALIDATION)], resend_at=700)

    assert [each.message for each in due(store, 699)] == [message(2)]
    assert [each for each in due(store, 700) if each.message == message(1)] == [(message(1), VALIDATION, 2)]


def test_events_in_the_inbox_of_their_consumer_are_received(store, put, message):
    put((1, VALIDATION), (1, BILLING), (2, VALIDATION), (3, NOBODY))
    with store.begin() as tx:
        inbox.put(tx, [(VALIDATION, message(1)), (BILLING, message(2)), (VALIDATION, message(3))], now=2)

    with store.begin() as tx:
        assert outbox.receive_receipts(tx) == 1
        assert outbox.receive_receipts(tx) == 0

    assert left(store) == {
        (message(1).event_id, BILLING),
        (message(2).event_id, VALIDATION),
        (message(3).event_id, NOBODY),
    }


def test_a_receipt_is_one_whatever_has_become_of_the_work(store, put, message):
    with store.begin() as tx:
        inbox.put(tx, [(VALIDATION, message(1))], now=1)
        inbox.complete(tx, inbox.take(tx, [VALIDATION], limit=1, now=1, lease=1), now=1)
    put((1, VALIDATION))

    with store.begin() as tx:
        assert outbox.receive_receipts(tx) == 1


def test_what_is_left_is_counted(store, put):
    with store.read() as connection:
        assert unsent(connection) == (0, None, 0)

    put((1, VALIDATION), now=7)
    put((2, VALIDATION), (3, NOBODY), now=9, resend_at=1_000)
    due(store, 60)

    with store.read() as connection:
        assert unsent(connection) == (3, 7, 1)
