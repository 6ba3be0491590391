"""Taking 100 works costs the same, however many wait or are done: counted in what the database does, not in time."""

from __future__ import annotations

from itertools import islice

import pytest
from sqlalchemy import text

from stamp.store import inbox

VALIDATION, BILLING = "ticket.validation", "ticket.billing"
MANY, GROUP = 5_000, 100


@pytest.fixture
def put(shared_store, message):
    numbers = iter(range(1_000_000))

    def put(count, *, consumer=VALIDATION, run=str):
        entries = [(consumer, message(number, run=run(number))) for number in islice(numbers, count)]
        with shared_store.begin() as tx:
            inbox.put(tx, entries, now=1)

    return put


@pytest.fixture
def cost(shared_store):
    """Return what tells how much it takes to take a group, undone afterwards."""
    count = COUNTERS[shared_store.url.partition(":")[0]]

    def cost(*consumers):
        with shared_store.begin() as tx:
            done = count(tx, lambda: inbox.take(tx, consumers or [VALIDATION], limit=GROUP, now=10, lease=60))
            tx.rollback()
        return done

    return cost


def instructions(tx, what):
    """Count tens of instructions of SQLite's virtual machine."""
    count = 0

    def step():
        nonlocal count
        count += 1

    tx.connection.driver_connection.set_progress_handler(step, 10)
    assert len(what()) == GROUP
    tx.connection.driver_connection.set_progress_handler(None, 0)
    return count


ROWS = text(
    """
    SELECT sum(CASE relkind WHEN 'r' THEN pg_stat_get_xact_tuples_returned(oid) ELSE 0 END + pg_stat_get_xact_tuples_fetched(oid))
    FROM pg_class WHERE relname LIKE 'stamp%' AND relnamespace = CAST(current_schema() AS regnamespace)
    """
)


def rows(tx, what):
    """Count the rows that PostgreSQL looks at: those of a sequential scan, and those that it fetches by an index. Dead ones are not counted."""
    before = tx.execute(ROWS).scalar_one()
    assert len(what()) == GROUP
    return int(tx.execute(ROWS).scalar_one() - before)


COUNTERS = {"sqlite": instructions, "postgresql": rows}


@pytest.fixture
def usual(put, cost):
    """What it costs when nothing else is there."""
    put(GROUP)
    return cost()


def test_more_that_waits(usual, put, cost):
    put(MANY)

    assert cost() < 1.5 * usual


def test_more_that_waits_for_somebody_else(usual, put, cost):
    put(MANY, consumer=BILLING)

    assert cost() < 1.5 * usual
    assert cost(BILLING, VALIDATION) < 3 * usual


def test_more_that_is_done(shared_store, usual, put, cost):
    with shared_store.begin() as tx:
        inbox.complete(tx, inbox.take(tx, [VALIDATION], limit=GROUP, now=1, lease=1), now=1)
    for _ in range(5):
        put(MANY // 5)
        with shared_store.begin() as tx:
            inbox.complete(tx, inbox.take(tx, [VALIDATION], limit=MANY, now=1, lease=1), now=1)
    put(GROUP)

    assert cost() < 1.5 * usual


def test_a_statistic_of_another_hour(shared_store, put, cost, usual):
    with shared_store.begin() as tx:
        inbox.complete(tx, inbox.take(tx, [VALIDATION], limit=GROUP, now=1, lease=1), now=1)
    with shared_store.begin() as tx:
        tx.execute(text("ANALYZE stamp_inbox"))
    put(MANY)

    assert cost() < 1.5 * usual
