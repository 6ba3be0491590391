"""What it costs at the start of a service to announce its contracts, in milliseconds: the seven steps of the ticket example.

    python tests/bench/announce.py [--times 9]

`new` is the first time at a place, `known` what every later start costs. The documents are made once a process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from kombu import Connection
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from examples.ticket import ticket
from stamp.runtime.brokers import transport
from stamp.runtime.directory import StoreDirectory, announce
from stamp.runtime.transport import Directory
from stamp.runtime.transports.documents import directory_name
from stamp.store.store import Store
from stamp.workflow.announcement import Announcement, announcement, listener_document

RABBITMQ = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
REDIS = os.environ.get("STAMP_TEST_REDIS", "redis://127.0.0.1:6379/0")
POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")

Open = Callable[[str], Directory]
"""Opens the directory of a workflow."""


def documents() -> Announcement:
    made = announcement(ticket, ticket.steps)
    for step in ticket.steps.values():
        made |= Announcement(listener_document(step.name, step.on))
    return made


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


@contextmanager
def places(folder: Path) -> Iterator[dict[str, Open]]:
    with ExitStack() as stack:
        schema = f"announce_{uuid.uuid4().hex[:8]}"
        engine = create_engine(make_url(POSTGRESQL).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        options = {"options": f"-csearch_path={schema}"}
        url = make_url(POSTGRESQL).update_query_dict(options).render_as_string(hide_password=False)
        stores = {"SQLite": f"sqlite:///{folder}/stamp.db", "PostgreSQL": url}
        opened = {name: stack.enter_context(Store.open(each)) for name, each in stores.items()}
        brokers = {"RabbitMQ": RABBITMQ, "Redis": REDIS, "a folder": f"filesystem://{folder}/spool"}
        in_stores = {name: _in_store(store) for name, store in opened.items()}
        yield in_stores | {name: transport(each).directory for name, each in brokers.items()}
        for store in opened.values():
            store.close()
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


def _in_store(store: Store) -> Open:
    return lambda workflow: StoreDirectory(store, workflow, lambda: time.time_ns() // 1_000)


def announced(open_: Open, workflow: str, made: Announcement) -> None:
    with closing(open_(workflow)) as target:
        announce(target, made)


def clean_up(workflows: Sequence[str]) -> None:
    with Connection(RABBITMQ) as connection, Redis.from_url(REDIS) as redis:
        for each in workflows:
            connection.default_channel.queue_delete(directory_name(each))
            redis.delete(*redis.scan_iter(f"stamp:{each}:*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=9)
    times = parser.parse_args().times
    made = documents()
    size = sum(len(each) for each in made.documents.values())
    print(
        f"{'documents made':16} {statistics.median(milliseconds(documents) for _ in range(times)):8.1f} ms ({len(made.documents)}, {size} bytes)"
    )
    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as directories:
        workflows = [f"announce-{uuid.uuid4().hex[:12]}" for _ in range(times)]
        for name, open_ in directories.items():
            new, known = (
                statistics.median(milliseconds(partial(announced, open_, each, made)) for each in workflows)
                for _ in range(2)
            )
            print(f"{name:16} new {new:8.1f} ms, known {known:8.1f} ms")
        clean_up(workflows)


if __name__ == "__main__":
    main()
