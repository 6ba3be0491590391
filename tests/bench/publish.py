"""Publishing to RabbitMQ and consuming from it: `python tests/bench/publish.py`, with `--url` for another broker than the local one.

Rows of 1 KiB messages, persistent, through a topic exchange into one quorum queue each. All rows take turns in short rounds of one
run, and the best round of each counts: ratios hold where single figures drift.
"""

from __future__ import annotations

import argparse
import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import kombu

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.rabbitmq import RabbitMQ
from stamp.store.message import Message

RABBITMQ = os.environ.get("STAMP_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
BODY = os.urandom(1024)
HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "0123456789abcdef0123456789abcdef",
    "ce-type": "Ordered",
    "ce-source": "/bench/origin",
    "ce-subject": "4729",
    "ce-time": "2026-01-02T03:04:05.678901+00:00",
    "ce-correlationid": "4729",
}
PREFETCH = 200
GROUP = 50
AIMS = {"kombu, no confirms": 0.6, "kombu, confirm_publish": 4.0}
"""How many times as fast as these the sender should be."""

Row = Callable[[int], None]


class Bench:
    """A queue, and the connections of the rows."""

    def __init__(self, stack: ExitStack, url: str) -> None:
        self._stack = stack
        self._url = url
        self._name = f"stamp-bench-{uuid.uuid4().hex}"
        self._topology = Topology.of(self._name, {"step": ["Ordered"]})
        self._queue = self._topology.queues[0].name
        self._transport = RabbitMQ(url)
        self._sender = self._transport.sender(self._topology)
        self._channel = self._connect().default_channel
        stack.callback(self._clean)
        stack.callback(self._sender.close)

    def _connect(self, **options: object) -> kombu.Connection:
        return self._stack.enter_context(kombu.Connection(self._url, transport_options=options))

    def _clean(self) -> None:
        self._channel.queue_delete(self._queue)
        self._channel.queue_delete(f"{self._queue}.dead")
        self._channel.exchange_delete(self._name)

    def empty(self, count: int) -> None:
        """Wait until the queue holds `count` messages, and empty it."""
        while self._channel.queue_declare(self._queue, passive=True).message_count < count:
            time.sleep(0.05)
        self._channel.queue_purge(self._queue)

    def stamp(self) -> Row:
        """Our sender: each message is confirmed."""

        def publish(count: int) -> None:
            for start in range(0, count, GROUP):
                self._sender.post([self._parcel() for _ in range(min(GROUP, count - start))])
            assert self._sender.confirm(30) == [None] * count

        return publish

    def kombu(self, **options: object) -> Row:
        """kombu's producer, on a connection with `options`."""
        exchange = kombu.Exchange(self._name, "topic")
        producer = self._connect(**options).Producer(exchange=exchange, auto_declare=False)

        def publish(count: int) -> None:
            for _ in range(count):
                producer.publish(
                    BODY,
                    routing_key="Ordered",
                    headers=dict(HEADERS),
                    content_type=CONTENT_TYPE,
                    content_encoding=CONTENT_ENCODING,
                    type="Ordered",
                    message_id=HEADERS["ce-id"],
                    mandatory=True,
                    retry=False,
                )

        return publish

    def stamp_consumer(self, stack: ExitStack) -> Row:
        """Our receiver; what came together is acknowledged together."""
        receiver = self._transport.receiver(self._topology, [self._queue], prefetch=PREFETCH)
        stack.callback(receiver.close)

        def consume(count: int) -> None:
            while count > 0:
                arrivals = receiver.receive(10)
                receiver.acknowledge(arrivals)
                count -= len(arrivals)

        return consume

    def kombu_consumer(self, stack: ExitStack) -> Row:
        """kombu's consumer, which acknowledges each message."""
        connection = stack.enter_context(kombu.Connection(self._url))
        taken = 0

        def on_message(message: kombu.Message) -> None:
            nonlocal taken
            taken += 1
            message.ack()

        consumer = connection.Consumer([kombu.Queue(self._queue, no_declare=True)], on_message=on_message)
        consumer.qos(prefetch_count=PREFETCH)
        consumer.consume()

        def consume(count: int) -> None:
            while taken < count:
                connection.drain_events(timeout=10)

        return consume

    def _parcel(self) -> Parcel:
        return Parcel(Message(self._name, "4729", "Ordered", uuid.uuid4().bytes, BODY, HEADERS), (self._queue,))


class Cost(NamedTuple):
    """Seconds that something took, and how many of them this process was at work; the broker's are not among those."""

    passed: float
    worked: float


def cost(row: Row, count: int) -> Cost:
    passed, worked = time.perf_counter(), time.process_time()
    row(count)
    return Cost(time.perf_counter() - passed, time.process_time() - worked)


class Best:
    """The least that each row took for a message, in seconds."""

    def __init__(self) -> None:
        self._least: dict[str, Cost] = {}

    def note(self, name: str, cost: Cost, count: int) -> None:
        here = Cost(cost.passed / count, cost.worked / count)
        before = self._least.get(name, here)
        self._least[name] = Cost(min(here.passed, before.passed), min(here.worked, before.worked))

    def show(self, title: str) -> None:
        ours = self._least["stamp"]
        print(f"\n{title:<30} {'messages/s':>10} {'stamp is':>9} {'aim':>5}   {'CPU µs each':>11} {'stamp is':>9}")
        for name, (passed, worked) in self._least.items():
            aim = f"{AIMS[name]:g}x" if name in AIMS else ""
            speed, work = passed / ours.passed, worked / ours.worked
            print(f"{name:<30} {1 / passed:>10,.0f} {speed:>8.2f}x {aim:>5}   {worked * 1e6:>11.0f} {work:>8.2f}x")


def publishing(bench: Bench, rounds: int, count: int) -> Best:
    """Measure publishing."""
    rows = {
        "stamp": (bench.stamp(), count),
        "kombu, no confirms": (bench.kombu(), count),
        "kombu, confirm_publish": (bench.kombu(confirm_publish=True), count // 10),
    }
    best = Best()
    for _ in range(rounds):
        for name, (row, number) in rows.items():
            best.note(name, cost(row, number), number)
            bench.empty(number)
    return best


def turnaround(bench: Bench, rounds: int, count: int) -> Best:
    """Measure publishing, and then consuming and acknowledging."""
    rows = {"stamp": (bench.stamp(), bench.stamp_consumer), "kombu, no confirms": (bench.kombu(), bench.kombu_consumer)}
    best = Best()
    for _ in range(rounds):
        for name, (publish, consumer) in rows.items():
            published = cost(publish, count)
            with ExitStack() as stack:
                consumed = cost(consumer(stack), count)
            best.note(name, Cost(*map(sum, zip(published, consumed, strict=True))), count)
            bench.empty(0)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=RABBITMQ)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=5000)
    options = parser.parse_args()
    with ExitStack() as stack:
        bench = Bench(stack, options.url)
        publishing(bench, options.rounds, options.count).show("publishing, 1 KiB")
        turnaround(bench, options.rounds, options.count).show("publish, consume, acknowledge")


if __name__ == "__main__":
    main()
