"""Steps a second, of a workflow with seven steps and 1 KiB in its first contribution; latency of a hop; memory.

    python tests/bench/throughput.py [--runs 1000] [--on embedded,postgresql,rabbitmq,rabbitmq+postgresql] [--memory 100000]

Every handler writes a row with `StepContext.transaction` where there is a store. Baselines in the same run are kombu as it is: publish
and consume without confirms, and with its own `confirm_publish`. One worker process has all seven steps; latency is measured with one run after the
other, between the moments when two successive steps take their messages.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from kombu import Connection, Exchange, Queue
from pydantic import BaseModel
from sqlalchemy import Connection as Transaction
from sqlalchemy import create_engine, text

from stamp import StepContext, Workflow
from stamp.runtime.brokers import transport
from stamp.runtime.publisher import Publisher
from stamp.runtime.worker import Worker
from stamp.store.store import Store
from stamp.workflow.outgoing import Outgoing

RABBITMQ = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
POSTGRESQL = os.environ.get("STAMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
STEPS = 7
TEXT = "x" * 1024
TOGETHER = 100


class Begun(BaseModel):
    text: str


class Step(BaseModel):
    number: int
    note: str


class Bench:
    """A workflow of seven steps in a row, and what its handlers have seen."""

    def __init__(self, name: str, *, has_store: bool) -> None:
        self.workflow = Workflow(name, contracts=Path(tempfile.gettempdir()) / "no-contracts")
        self.workflow.starts("begun", Begun, emits="E0")
        self.ended = 0
        self.hops: list[float] = []
        self._over = threading.Condition()
        for number in range(1, STEPS + 1):
            self._define(number, has_store=has_store)

    def _define(self, number: int, *, has_store: bool) -> None:
        def handle(begun: Begun, context: StepContext) -> Step:
            if has_store:
                context.transaction.execute(EFFECT, {"step": number, "run": context.workflow_id})
            self.hops.append(time.perf_counter())
            if number == STEPS:
                with self._over:
                    self.ended += 1
                    self._over.notify_all()
            return Step(number=number, note=f"{begun.text[:10]} {number}")

        self.workflow.step(on=f"E{number - 1}", emits=f"E{number}", name=f"step{number}")(handle)

    def starts(self, runs: range) -> Iterator[Outgoing]:
        for run in runs:
            yield self.workflow.start(Begun(text=TEXT), workflow_id=f"{run}")

    def wait(self, ended: int) -> None:
        with self._over:
            if not self._over.wait_for(lambda: self.ended >= ended, timeout=300):
                raise TimeoutError(f"expected {ended} runs to end, got {self.ended}")


EFFECT = text("INSERT INTO bench_effects VALUES (:step, :run)")


def effects(tx: Transaction) -> None:
    tx.execute(text("CREATE TABLE IF NOT EXISTS bench_effects (step integer, run text)"))


class Place:
    """Where it runs: a broker or none, a store or none, of its own."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name = f"bench-{uuid.uuid4().hex[:8]}"
        parts = name.split("+")
        self.broker = transport(RABBITMQ) if "rabbitmq" in parts else None
        self.store = None
        if "postgresql" in parts:
            self.store = self._postgresql(stack)
        elif "embedded" in parts:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            self.store = stack.enter_context(Store.open(f"sqlite:///{folder}/stamp.db"))
        if self.store is not None:
            with self.store.begin() as tx:
                effects(tx)
        if self.broker is not None:
            stack.callback(self._delete_queues)

    def _postgresql(self, stack: ExitStack) -> Store:
        schema = self.name.replace("-", "_")
        engine = create_engine(POSTGRESQL.replace("postgresql:", "postgresql+psycopg:"))
        stack.callback(engine.dispose)
        with engine.begin() as tx:
            tx.execute(text(f"CREATE SCHEMA {schema}"))
        stack.callback(lambda: self._drop(engine, schema))
        return stack.enter_context(Store.open(f"{POSTGRESQL}?options=-csearch_path%3D{schema}"))

    def _drop(self, engine, schema):
        with engine.begin() as tx:
            tx.execute(text(f"DROP SCHEMA {schema} CASCADE"))

    def _delete_queues(self) -> None:
        with Connection(RABBITMQ) as connection:
            channel = connection.default_channel
            for number in range(1, STEPS + 1):
                for suffix in ("", ".dead"):
                    channel.queue_delete(f"{self.name}.step{number}{suffix}")
            channel.exchange_delete(self.name)


def throughput(name: str, runs: int) -> float:
    """Return steps a second, from the moment when the worker starts until the last run has ended."""
    with ExitStack() as stack:
        place = Place(name, stack)
        bench = Bench(place.name, has_store=place.store is not None)
        publish(bench, place, range(runs))
        worker = Worker(bench.workflow, broker=place.broker, store=place.store)
        began = time.perf_counter()
        with worker:
            bench.wait(runs)
            took = time.perf_counter() - began
    return runs * STEPS / took


def publish(bench: Bench, place: Place, runs: range) -> None:
    with Publisher(bench.workflow, broker=place.broker, store=place.store) as publisher:
        starts = list(bench.starts(runs))
        for at in range(0, len(starts), TOGETHER):
            publisher.publish(*starts[at : at + TOGETHER])


def latency(name: str, runs: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of a hop, in milliseconds, when nothing else is under way."""
    with ExitStack() as stack:
        place = Place(name, stack)
        bench = Bench(place.name, has_store=place.store is not None)
        hops: list[float] = []
        with (
            Worker(bench.workflow, broker=place.broker, store=place.store),
            Publisher(bench.workflow, broker=place.broker, store=place.store) as publisher,
        ):
            for number, start in enumerate(bench.starts(range(runs))):
                bench.hops.clear()
                publisher.publish(start)
                bench.wait(number + 1)
                hops += [b - a for a, b in zip(bench.hops, bench.hops[1:], strict=False)]
        quantiles = statistics.quantiles(hops, n=100)
    return statistics.median(hops) * 1000, quantiles[98] * 1000


def memory(name: str, hops: int) -> tuple[float, float]:
    """Return the resident size in MiB after a tenth of the hops, and how much it has grown at the end."""
    with ExitStack() as stack:
        place = Place(name, stack)
        bench = Bench(place.name, has_store=place.store is not None)
        runs = hops // STEPS
        sizes = []
        with Worker(bench.workflow, broker=place.broker, store=place.store):
            for tenth in range(10):
                part = range(tenth * runs // 10, (tenth + 1) * runs // 10)
                publish(bench, place, part)
                bench.wait(part.stop)
                bench.hops.clear()
                sizes.append(resident())
    return sizes[0], sizes[-1] - sizes[0]


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def raw(messages: int, *, confirm: bool) -> float:
    """Return messages a second that kombu publishes, consumes and acknowledges, in one process and two threads."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    exchange = Exchange(name, "topic", durable=True)
    queue = Queue(name, exchange, routing_key="E0", durable=True, queue_arguments={"x-queue-type": "quorum"})
    body, got, over = os.urandom(1200), 0, threading.Event()
    with (
        Connection(RABBITMQ) as consuming,
        Connection(RABBITMQ, transport_options={"confirm_publish": confirm}) as publishing,
    ):

        def received(message) -> None:
            nonlocal got
            message.ack()
            got += 1
            if got == messages:
                over.set()

        queue(consuming.default_channel).declare()
        consumer = consuming.Consumer([queue], on_message=received, prefetch_count=200)
        consumer.consume()

        def consume() -> None:
            while not over.is_set():
                consuming.drain_events(timeout=30)

        thread = threading.Thread(target=consume)
        producer = publishing.Producer(exchange=exchange, auto_declare=False)
        began = time.perf_counter()
        thread.start()
        for _ in range(messages):
            producer.publish(body, routing_key="E0", content_type="application/octet-stream", content_encoding="binary")
        over.wait(120)
        took = time.perf_counter() - began
        thread.join()
        consumer.cancel()
        queue(consuming.default_channel).delete()
        exchange(consuming.default_channel).delete()
    return messages / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--on", default="embedded,postgresql,rabbitmq,rabbitmq+postgresql")
    parser.add_argument("--memory", type=int, default=0, metavar="HOPS")
    parser.add_argument("--latency", type=int, default=100, metavar="RUNS")
    given = parser.parse_args()
    places = given.on.split(",")
    if any("rabbitmq" in place for place in places):
        plain = raw(given.runs * STEPS, confirm=False)
        confirmed = raw(max(given.runs * STEPS // 10, 100), confirm=True)
        print(f"{'kombu, no confirms':<24} {plain:>8,.0f} messages/s")
        print(f"{'kombu, confirm_publish':<24} {confirmed:>8,.0f} messages/s")
    for place in places:
        rate = throughput(place, given.runs)
        against = (
            f"  {rate / plain:.2f}x of kombu without, {rate / confirmed:.1f}x of kombu with confirms"
            if place == "rabbitmq"
            else ""
        )
        middle, late = latency(place, given.latency)
        print(f"{place:<24} {rate:>8,.0f} steps/s, a hop p50 {middle:.1f} ms, p99 {late:.1f} ms{against}")
        if given.memory:
            size, grown = memory(place, given.memory)
            print(f"{'':<24} {given.memory:,} hops: {size:.0f} MiB at a tenth, {grown:+.1f} MiB at the end")


if __name__ == "__main__":
    main()
