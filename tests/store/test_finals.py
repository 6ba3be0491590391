"""What every database must do with final events."""

from __future__ import annotations

from itertools import islice

from stamp.store import finals


def find(store, **wanted):
    with store.read() as connection:
        return list(finals.find(connection, **wanted))


def test_final_events_are_found_by_time_as_they_were(store, message):
    with store.begin() as tx:
        finals.put(tx, [message(1, run="a", body=bytes(range(256)))], now=20)
        finals.put(tx, [message(2, run="b")], now=10)

    assert find(store) == [message(2, run="b"), message(1, run="a", body=bytes(range(256)))]


def test_they_are_found_by_workflow_and_run(store, message):
    events = [
        message(number, workflow=workflow, run=run)
        for number, (workflow, run) in enumerate([("ticket", "1"), ("ticket", "2"), ("order", "1"), ("order", "")])
    ]
    with store.begin() as tx:
        for now, each in enumerate(events):
            finals.put(tx, [each], now=now)

    assert find(store, workflow="ticket") == events[:2]
    assert find(store, workflow_id="1") == [events[0], events[2]]
    assert find(store, workflow_id="") == events[3:]
    assert find(store, workflow="order", workflow_id="1") == events[2:3]
    assert find(store, workflow="order", workflow_id="2") == []


def test_an_event_is_kept_once_as_it_came_first(store, message):
    with store.begin() as tx:
        finals.put(tx, [], now=1)
        finals.put(tx, [message(1), message(1)], now=1)
        finals.put(tx, [message(1, body=b"other")], now=2)

    assert find(store) == [message(1)]


def test_they_are_read_as_they_are_asked_for(store, message):
    with store.begin() as tx:
        finals.put(tx, [message(number) for number in range(1_000)], now=1)

    with store.read() as connection:
        assert len(list(islice(finals.find(connection), 3))) == 3
    assert len(find(store)) == 1_000
