"""Several takers at once: everything is taken, by one of them, in the order of its run, and nobody waits for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Barrier

import pytest
from sqlalchemy import text

from stamp.store import inbox, outbox
from stamp.store.store import Store

VALIDATION = "ticket.validation"
MESSAGES, RUNS = 600, 50


@pytest.fixture
def full(shared_store, message):
    entries = [(VALIDATION, message(each, run=str(each % RUNS))) for each in range(MESSAGES)]
    with shared_store.begin() as tx:
        inbox.put(tx, entries, now=1)
    return shared_store


def work_off(store, *, limit=7):
    """Take and complete until nothing waits; return the numbers of what was done."""
    done = []
    while True:
        with store.begin() as tx:
            works = inbox.take(tx, [VALIDATION], limit=limit, now=10, lease=60)
        if not works and is_empty(store):
            return done
        with store.begin() as tx:
            assert not inbox.complete(tx, works, now=time.monotonic_ns())
        done += [work.number for work in works]


def is_empty(store):
    with store.read() as connection:
        return not connection.execute(text("SELECT count(*) FROM stamp_inbox WHERE state = 0")).scalar_one()


def has_kept_order(store):
    done_at = defaultdict(list)
    with store.read() as connection:
        for run, moment in connection.execute(text("SELECT run, done_at FROM stamp_inbox ORDER BY number")):
            done_at[run].append(moment)
    return len(done_at) == RUNS and all(moments == sorted(moments) for moments in done_at.values())


def test_threads_get_each_message_once_and_runs_in_order(full):
    with ThreadPoolExecutor(4) as threads:
        done = list(chain(*threads.map(lambda _: work_off(full), range(4))))

    assert len(done) == len(set(done)) == MESSAGES
    assert has_kept_order(full)


def test_processes_get_each_message_once_and_runs_in_order(full, shared_url):
    working = [subprocess.Popen([sys.executable, __file__, shared_url], stdout=subprocess.PIPE) for _ in range(3)]

    done = list(chain(*(json.loads(each.communicate()[0]) for each in working)))

    assert len(done) == len(set(done)) == MESSAGES
    assert has_kept_order(full)


class TestOnServer:
    """One transaction does not wait for another; where there is one lock for all that write, it must."""

    @pytest.fixture
    def store(self, postgresql_url):
        with Store.open(f"{postgresql_url}%20-clock_timeout%3D2s") as store:
            yield store

    @pytest.fixture
    def entries(self, message):
        return [(VALIDATION, message(each, run=str(each))) for each in range(20)]

    def test_takers_get_different_messages(self, store, entries):
        with store.begin() as tx:
            inbox.put(tx, entries, now=1)

        with store.begin() as one, store.begin() as other:
            first = inbox.take(one, [VALIDATION, "ticket.billing"], limit=8, now=10, lease=60)
            second = inbox.take(other, [VALIDATION], limit=8, now=10, lease=60)

        assert [len(first), len(second)] == [8, 8]
        assert not {work.number for work in first} & {work.number for work in second}

    def test_a_lease_is_renewed_past_what_is_being_completed(self, store, entries):
        with store.begin() as tx:
            inbox.put(tx, entries, now=1)
            works = inbox.take(tx, [VALIDATION], limit=20, now=10, lease=60)

        with store.begin() as one, store.begin() as other:
            assert not inbox.complete(one, works[:10], now=11)
            inbox.extend(other, works, until=1_000)

        with store.begin() as tx:
            assert not inbox.take(tx, [VALIDATION], limit=20, now=999, lease=60)
            assert len(inbox.take(tx, [VALIDATION], limit=20, now=1_000, lease=60)) == 10

    def test_the_same_messages_are_put_in_by_any_order_without_a_deadlock(self, store, message):
        rounds, together = 10, Barrier(2, timeout=20)

        def put(step):
            for each in range(rounds):
                events = [message(each * 500 + number) for number in range(500)][::step]
                together.wait()
                with store.begin() as tx:
                    inbox.put(tx, [(VALIDATION, event) for event in events], now=1)
                    outbox.put(tx, [(event, VALIDATION) for event in events], now=1, resend_at=1)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(put, [1, -1]))

        with store.begin() as tx:
            assert len(inbox.take(tx, [VALIDATION], limit=10_000, now=1, lease=1)) == rounds * 500

    def test_events_are_sent_again_by_one(self, store, entries):
        with store.begin() as tx:
            outbox.put(tx, [(each, consumer) for consumer, each in entries], now=1, resend_at=1)

        with store.begin() as one, store.begin() as other:
            first = outbox.due(one, now=10, limit=12, rest=lambda _: 1)
            second = outbox.due(other, now=10, limit=12, rest=lambda _: 1)

        assert [len(first), len(second)] == [12, 8]


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as opened:
        print(json.dumps(work_off(opened)))  # noqa: T201 - that is its answer
