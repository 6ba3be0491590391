"""A store does what lists in memory do, whatever is done with it in whatever order."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from stamp.store import dead_letters, inbox, outbox, retention
from stamp.store.backlog import backlog, unsent
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.store.tables import METADATA

from .lists import LETTER, Lists, Taken

A, B, NOBODY = "ticket.a", "ticket.b", ""
EVENTS = [
    Message("ticket", ("", "one", "two")[number % 3], "Event", bytes([number] * 16), bytes([number]), {"n": "1"})
    for number in range(12)
]
consumers = st.sampled_from([A, B])
events = st.sampled_from(EVENTS)
micros = st.integers(0, 60)
outgoing = st.lists(st.tuples(events, st.sampled_from([A, B, NOBODY])), max_size=4)


class Machine(RuleBasedStateMachine):
    """Everything that can be done with work, outgoing events and dead letters. Time only goes forward."""

    store: ClassVar[Store]
    works = Bundle("works")
    some_works = st.lists(works, max_size=4, unique_by=lambda each: each.work[:2])

    @initialize()
    def begin_empty(self):
        with self.store.begin() as tx:
            for each in ("inbox", "content", "outbox", "dead_letter"):
                tx.execute(METADATA.tables[f"stamp_{each}"].delete())
        self.now, self.lists = 1, Lists()

    @rule(micros=micros)
    def wait(self, micros):
        self.now += micros

    @rule(entries=st.lists(st.tuples(consumers, events), max_size=5))
    def put(self, entries):
        with self.store.begin() as tx:
            new = inbox.put(tx, entries, now=self.now)
        assert new == sum([self.lists.put(*each, self.now) for each in entries])

    @rule(target=works, wanted=st.lists(consumers, min_size=1, max_size=2), limit=st.integers(1, 4), lease=micros)
    def take(self, wanted, limit, lease):
        with self.store.begin() as tx:
            works = inbox.take(tx, wanted, limit=limit, now=self.now, lease=lease)
        due = self.lists.due(wanted, self.now)[:limit]
        assert [tuple(work)[1:] for work in works] == [self.lists.take(row, self.now + lease) for row in due]
        return multiple(*map(Taken, works, due))

    @rule(taken=some_works)
    def complete(self, taken):
        lost = [each.work for each in taken if not each.is_held]
        with self.store.begin() as tx:
            assert list(inbox.complete(tx, [each.work for each in taken], now=self.now)) == lost
            if lost:
                tx.rollback()
        for each in [] if lost else taken:
            self.lists.end(each.row, "done", self.now)

    @rule(taken=works, rest=micros)
    def postpone(self, taken, rest):
        with self.store.begin() as tx:
            assert inbox.postpone(tx, taken.work, until=self.now + rest, error="no answer") == taken.is_held
        if taken.is_held:
            self.lists.postpone(taken.row, self.now + rest)

    @rule(taken=works, rest=micros)
    def back_off(self, taken, rest):
        with self.store.begin() as tx:
            assert inbox.back_off(tx, taken.work, until=self.now + rest, error="no schema") == taken.is_held
        if taken.is_held:
            self.lists.back_off(taken.row, self.now + rest, "no schema")

    @rule(consumers=st.lists(consumers, max_size=2))
    def wake(self, consumers):
        with self.store.begin() as tx:
            assert inbox.wake(tx, consumers, "no schema", now=self.now) == self.lists.wake(
                consumers, "no schema", self.now
            )

    @rule(taken=works)
    def park(self, taken):
        with self.store.begin() as tx:
            assert inbox.park(tx, taken.work, LETTER, now=self.now) == taken.is_held
        if taken.is_held:
            self.lists.end(taken.row, "dead", self.now)

    @rule(taken=some_works)
    def release(self, taken):
        with self.store.begin() as tx:
            inbox.release(tx, [each.work for each in taken])
        for each in taken:
            if each.is_held:
                self.lists.release(each.row)

    @rule(taken=some_works, lease=st.integers(1, 60))
    def extend(self, taken, lease):
        with self.store.begin() as tx:
            inbox.extend(tx, [each.work for each in taken], until=self.now + lease)
        for each in taken:
            if each.is_held:
                each.row.lease_until = self.now + lease

    @rule(consumer=consumers, message=events)
    def bury(self, consumer, message):
        with self.store.begin() as tx:
            new = dead_letters.bury(tx, consumer, message, LETTER, now=self.now)
        assert new == self.lists.put(consumer, message, self.now)
        if new:
            self.lists.end(self.lists.rows[-1], "dead", self.now)

    @rule(consumer=consumers, message=events, again=st.booleans())
    def replay_or_discard(self, consumer, message, again):
        letter = dead_letters.DeadLetter(message, consumer, LETTER, 0, 0, 0)
        with self.store.begin() as tx:
            was_dead = (dead_letters.replay if again else dead_letters.discard)(tx, letter, self.now)
        row = self.lists.find(consumer, message)
        assert was_dead == (row is not None and row.state == "dead")
        if was_dead and again:
            self.lists.replay(row, self.now)
        elif was_dead:
            self.lists.end(row, "done", self.now)

    @rule(age=micros)
    def prune(self, age):
        with self.store.begin() as tx:
            assert retention.prune(tx, before=self.now - age, limit=100) == self.lists.prune(self.now - age)

    @rule(entries=outgoing, rest=micros)
    def send(self, entries, rest):
        with self.store.begin() as tx:
            outbox.put(tx, entries, now=self.now, resend_at=self.now + rest)
        for message, consumer in entries:
            self.lists.outbox.setdefault((message.event_id, consumer), [self.now, self.now + rest, 0])

    @rule(entries=outgoing, rest=micros)
    def note_as_sent(self, entries, rest):
        keys = {(message.event_id, consumer) for message, consumer in entries}
        with self.store.begin() as tx:
            outbox.sent(tx, list(keys), resend_at=self.now + rest)
        for each in keys & set(self.lists.outbox):
            self.lists.outbox[each][1:] = [self.now + rest, self.lists.outbox[each][2] + 1]

    @rule(entries=outgoing)
    def finish(self, entries):
        keys = {(message.event_id, consumer) for message, consumer in entries}
        with self.store.begin() as tx:
            outbox.finish(tx, list(keys))
        for each in keys:
            self.lists.outbox.pop(each, None)

    @rule()
    def receive_receipts(self):
        with self.store.begin() as tx:
            assert outbox.receive_receipts(tx) == self.lists.receive_receipts()

    @rule(limit=st.integers(1, 5))
    def send_again(self, limit):
        with self.store.begin() as tx:
            due = outbox.due(tx, now=self.now, limit=limit, rest=lambda sends: 10 * sends)
        overdue = sorted(resend_at for _, resend_at, _ in self.lists.outbox.values() if resend_at <= self.now)
        chosen = [self.lists.outbox[each.message.event_id, each.consumer] for each in due]
        assert [resend_at for _, resend_at, _ in chosen] == overdue[:limit]
        assert [(each.message in EVENTS, each.sends) for each in due] == [(True, sends + 1) for *_, sends in chosen]
        for each in chosen:
            each[1:] = [self.now + 10 * (each[2] + 1), each[2] + 1]

    @invariant()
    def it_tells_what_there_is(self):
        with self.store.read() as connection:
            for wanted in ([A], [B], [A, B]):
                assert inbox.is_due(connection, wanted, now=self.now) == bool(self.lists.due(wanted, self.now))
            assert backlog(connection) == self.lists.backlog()
            assert unsent(connection) == self.lists.unsent()
            assert list(dead_letters.find(connection)) == self.lists.dead()


def compare(url, *, examples, steps):
    with Store.open(url) as store:
        machine = type("Machine", (Machine,), {"store": store})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
        )


def test_sqlite_does_as_the_lists():
    compare("sqlite://", examples=20, steps=40)


def test_postgresql_does_as_the_lists(postgresql_url):
    compare(postgresql_url, examples=5, steps=40)


@pytest.mark.slow
def test_sqlite_does_as_the_lists_for_long():
    compare("sqlite://", examples=100, steps=60)
