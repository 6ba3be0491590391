"""A process that is killed: what it committed is there, and of what it did not commit nothing is."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from stamp.store import inbox, outbox
from stamp.store.message import Message
from stamp.store.store import Store

VALIDATION, BILLING = "ticket.validation", "ticket.billing"


def event(number):
    return Message("ticket", "", "TicketCreated", sha256(b"%d" % number).digest()[:16], b"%d" % number, {})


def commit_all_day(store):
    """Say each number once its event is committed, to both consumers and the outbox."""
    for number in range(1_000_000):
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, event(number))], now=1)
            inbox.put(tx, [(BILLING, event(number))], now=1)
            outbox.put(tx, [(event(number), BILLING)], now=1, resend_at=1)
        print(number, flush=True)  # noqa: T201 - that is its answer


def stop_before_the_commit(store):
    """Do everything that there is in one transaction, and say so before it is committed."""
    with store.begin() as tx:
        works = inbox.take(tx, [VALIDATION], limit=10, now=10, lease=60)
        inbox.complete(tx, works[:1], now=11)
        inbox.put(tx, [(VALIDATION, event(99))], now=11)
        outbox.put(tx, [(event(99), BILLING)], now=11, resend_at=1)
        print(len(works), flush=True)  # noqa: T201 - that is its answer
        time.sleep(60)


def started(what, url):
    command = [sys.executable, __file__, what.__name__, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_of_a_transaction_that_was_not_committed_nothing_is_left(shared_url):
    with Store.open(shared_url) as store:
        with store.begin() as tx:
            inbox.put(tx, [(VALIDATION, event(1)), (VALIDATION, event(2))], now=1)

        with started(stop_before_the_commit, shared_url) as process:
            assert process.stdout.readline() == "2\n"
            process.kill()

        works = eventually_taken(store, 2)
        assert [(work.message, work.attempt) for work in works] == [(event(1), 1), (event(2), 1)]
        with store.begin() as tx:
            assert not inbox.complete(tx, works, now=12)
            assert not outbox.due(tx, now=12, limit=9, rest=lambda _: 1)


def eventually_taken(store, count):
    """PostgreSQL may take a moment to notice that somebody is gone, and what he had is locked until then."""
    works = []
    while len(works) < count:
        with store.begin() as tx:
            works += inbox.take(tx, [VALIDATION], limit=10, now=10, lease=60)
    return works


@pytest.mark.parametrize("seed", range(3))
def test_what_was_committed_is_there_and_whole(shared_url, seed):
    with Store.open(shared_url) as store, started(commit_all_day, shared_url) as process:
        process.stdout.readline()
        time.sleep(random.Random(seed).random() / 4)
        process.kill()
        said = 1 + len(process.stdout.readlines())
        process.wait()

        committed = settled(store)
        assert committed[VALIDATION] == committed[BILLING] == committed["outbox"]
        assert committed[VALIDATION] - said in {0, 1}


def settled(store):
    """Return how much of each there is: the last transaction may still be ending."""
    before = None
    while (now := counted(store)) != before:
        before = now
        time.sleep(0.2)
    return now


def counted(store):
    with store.begin() as tx:
        counts = {
            consumer: len(inbox.take(tx, [consumer], limit=1_000_000, now=1, lease=0))
            for consumer in (VALIDATION, BILLING)
        }
        counts["outbox"] = len(outbox.due(tx, now=1, limit=1_000_000, rest=lambda _: 0))
    return counts


if __name__ == "__main__":
    with Store.open(sys.argv[2]) as opened:
        {each.__name__: each for each in (commit_all_day, stop_before_the_commit)}[sys.argv[1]](opened)
