"""How long a group commit takes: `python tests/bench/store.py [--postgresql URL]`.

A cycle is what a worker does all day: one transaction that completes the 100 works it has, puts 100 new messages of 1.2 KB in, and takes
100 again, with the commit. It is measured in an empty inbox, behind 100,000 rows that are done, and with 20,000 that wait. The least
and the median of the cycles count; the medians of the parts are of the same cycles. PostgreSQL gets a schema of its own, dropped after.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, make_url, text

from stamp.store import inbox
from stamp.store.message import Message
from stamp.store.store import Store
from stamp.store.work import Work

POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
GROUP = 100
CONSUMERS = ["ticket.validation", "ticket.billing"]
PARTS = ("begin", "complete", "put", "take", "commit")
LEASE = 60_000_000
HEADERS = {
    "ce-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "ce-type": "TicketValidated",
    "ce-source": "/ticket/validation",
    "ce-subject": "4729-0001",
    "ce-time": "2026-11-26T12:00:00.123456Z",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
NUMBERS = count()


def messages(size: int) -> list[tuple[str, Message]]:
    """Return entries for both consumers by turns, each of a run of its own."""
    return [
        (
            CONSUMERS[number % 2],
            Message("ticket", f"4729-{number}", "TicketValidated", os.urandom(16), os.urandom(1_200), HEADERS),
        )
        for number in (next(NUMBERS) for _ in range(size))
    ]


def cycle(store: Store, works: list[Work], consumers: list[str]) -> tuple[list[Work], list[float]]:
    """Run one cycle; return the works that it took, and the times at which its parts ended."""
    entries = messages(GROUP)
    now = time.time_ns() // 1_000
    marks = [time.perf_counter()]
    with store.begin() as tx:
        marks.append(time.perf_counter())
        assert not inbox.complete(tx, works, now=now)
        marks.append(time.perf_counter())
        inbox.put(tx, entries, now=now)
        marks.append(time.perf_counter())
        taken = inbox.take(tx, consumers, limit=GROUP, now=now, lease=LEASE)
        marks.append(time.perf_counter())
    marks.append(time.perf_counter())
    assert len(taken) == GROUP
    return taken, marks


def measure(store: Store, cycles: int, consumers: list[str]) -> str:
    works: list[Work] = []
    totals, parts = [], []
    for _ in range(cycles):
        works, marks = cycle(store, works, consumers)
        totals.append(marks[-1] - marks[0])
        parts.append([after - before for before, after in pairwise(marks)])
    split = "  ".join(
        f"{name} {median(times) * 1e3:.2f}" for name, times in zip(PARTS, zip(*parts, strict=True), strict=True)
    )
    with store.begin() as tx:
        inbox.complete(tx, works, now=1)
    return f"least {min(totals) * 1e3:6.2f} ms, median {median(totals) * 1e3:6.2f} ms   ({split})"


def put_many(store: Store, size: int) -> None:
    for _ in range(size // 1_000):
        with store.begin() as tx:
            inbox.put(tx, messages(1_000), now=1)


def finish_all(store: Store) -> None:
    now = time.time_ns() // 1_000
    with store.begin() as tx:
        while works := inbox.take(tx, CONSUMERS, limit=1_000, now=now, lease=LEASE):
            inbox.complete(tx, works, now=now)


def run(name: str, url: str, cycles: int) -> None:
    with Store.open(url) as store:
        print(f"{name}, empty:           {measure(store, cycles, CONSUMERS)}")
        put_many(store, 20_000)
        print(f"{name}, 20,000 waiting:  {measure(store, cycles, CONSUMERS)}")
        finish_all(store)
        for _ in range(4):
            put_many(store, 20_000)
            finish_all(store)
        print(f"{name}, 100,000 done:    {measure(store, cycles, CONSUMERS)}")


@contextmanager
def schema(url: str) -> Iterator[str]:
    name = f"stamp_bench_{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
        try:
            yield f"{url}?options=-csearch_path%3D{name}"
        finally:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", default=POSTGRESQL, metavar="URL")
    parser.add_argument("--cycles", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run("SQLite", f"sqlite:///{Path(folder) / 'stamp.db'}", arguments.cycles)
    with schema(arguments.postgresql) as url:
        run("PostgreSQL", url, arguments.cycles)


if __name__ == "__main__":
    main()
