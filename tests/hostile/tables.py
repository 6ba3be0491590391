"""Hostile AMQP header tables by the hundred thousand: `python tests/hostile/tables.py --count 200000 --seed 1`.

Plays a RabbitMQ that gives out messages whose properties nobody in his right mind wrote: values of all types and of none, tables inside tables by the
thousand, lengths that lie, names that are no text, and mutations of all that. Each comes twice, by the way of stamp's own receiver and of its dead
letter queues: py-amqp's channel with our reading of frames below it. A worker takes it, looks whether it is an event, buries it; `stamp dlq` lists
it, shows it, replays it. Nothing may come out but a message, with its body; nothing may take longer than 50 ms of a processor, or more than 64 MiB of memory
beyond what was there before.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from random import Random
from struct import pack
from typing import Any, Final

import amqp
from amqp import spec

from stamp.cli.render import dead_letter, dead_letters
from stamp.cli.render.visible import json_text
from stamp.envelope.format import CONTENT_TYPE
from stamp.envelope.limits import LIMITS
from stamp.runtime.arrival import opened
from stamp.runtime.graveyard import Wanted
from stamp.runtime.outside import CONTENT_ENCODING
from stamp.runtime.transports.rabbitmq.frames import frame_reader
from stamp.runtime.transports.rabbitmq.graveyard import RabbitGraveyard
from stamp.runtime.transports.rabbitmq.receiver import RabbitReceiver
from stamp.schema.catalog import Catalog

LONGEST: Final = 0.050
MOST: Final = 64 * 1024
LARGEST_FRAME: Final = 131_072
QUEUE: Final = "ticket.validation"
BODY: Final = b"not an envelope"
BATCH: Final = 100
"""Messages that are given out before the next connection is made."""

METHOD, HEADER, BODY_FRAME = 1, 2, 3


# -- what is thrown


def short(random: Random) -> bytes:
    text = random.choice(
        (
            b"name",
            b"",
            b"x-death",
            b"compression",
            b"stamp-reason",
            b"CC",
            b"x-delivery-count",
            b"ce-type",
            random.randbytes(5),
        )
    )
    return bytes((len(text),)) + text


def numbers(kinds: bytes, size: int) -> Callable[[Random, int], bytes]:
    return lambda random, _: (
        bytes((random.choice(kinds),)) + random.choice((bytes(size), b"\xff" * size, random.randbytes(size)))
    )


def counted(kind: bytes, content: bytes) -> bytes:
    return kind + pack(">I", len(content)) + content


def text(random: Random, _: int) -> bytes:
    return counted(
        b"S",
        random.choice(
            (b"", b"text", "日本語".encode(), b"\xed\xa0\x80", b"\0\x1b[2J", random.randbytes(9), b"x" * 3000)
        ),
    )


def blob(random: Random, _: int) -> bytes:
    return counted(b"x", random.randbytes(random.randrange(20)))


def array(random: Random, depth: int) -> bytes:
    return counted(b"A", b"".join(value(random, depth - 1) for _ in range(random.randrange(4))))


def inner(random: Random, depth: int) -> bytes:
    return counted(b"F", entries(random, depth - 1))


def foreign(random: Random, _: int) -> bytes:
    return random.randbytes(random.randrange(1, 9))


def nested(random: Random, _: int) -> bytes:
    """Return arrays, or tables, inside each other: as many as a frame takes, once in a while."""
    return tower(random.choice((5, 50, 300, 600, 999, 1001, 2000, 2000, 16_000)), *random.choice(FLOORS))


FLOORS: Final = ((b"A", b"", b"t\1"), (b"F", b"\1a", b"t\1"), (b"F", b"\1a", b""))
"""What is inside what: its type, what stands before the next one, and the innermost."""


@cache
def tower(depth: int, kind: bytes, before: bytes, innermost: bytes) -> bytes:
    sizes = (len(before) + len(innermost) + number * (5 + len(before)) for number in reversed(range(depth)))
    return b"".join(kind + pack(">I", size) + before for size in sizes) + innermost


KINDS: Final[Sequence[Callable[[Random, int], bytes]]] = (
    *(text, text, text, blob, array, array, inner, inner, foreign),
    *(
        numbers(b"bBt", 1),
        numbers(b"sUu", 2),
        numbers(b"Iif", 4),
        numbers(b"LldT", 8),
        numbers(b"D", 5),
        numbers(b"V", 0),
    ),
)


def value(random: Random, depth: int) -> bytes:
    kind = random.choice(KINDS) if depth > 0 else text
    return kind(random, depth)


def entries(random: Random, depth: int = 4) -> bytes:
    return b"".join(short(random) + value(random, depth) for _ in range(random.randrange(5)))


def deaths(random: Random) -> bytes:
    """Return what RabbitMQ notes of deaths, or what somebody has written in its place."""
    facts = b"".join((b"\6reason", text(random, 0), b"\4time", value(random, 2), b"\5count", value(random, 2)))
    return b"\7x-death" + counted(b"A", random.choice((counted(b"F", facts), value(random, 3))))


def table(random: Random) -> bytes:
    parts = [
        entries(random),
        deaths(random) if random.randrange(3) == 0 else b"",
        b"\1n" + nested(random, 0) if random.randrange(20) == 0 else b"",
    ]
    random.shuffle(parts)
    whole = b"".join(parts)
    return pack(">I", len(whole)) + whole


def name(random: Random, usual: str) -> bytes:
    chosen = random.choice((usual.encode(), usual.encode(), usual.encode(), b"", random.randbytes(6), b"x" * 255))
    return bytes((len(chosen),)) + chosen


def properties(random: Random) -> bytes:
    """Return the properties of a message: flags, and what they say is there."""
    flags = random.choice((0xE000, 0xE000, 0xF0A0, random.randrange(0x10000)))
    sizes = {3: 1, 4: 1, 9: 8}
    parts = [name(random, CONTENT_TYPE), name(random, CONTENT_ENCODING), table(random)]
    parts += [random.randbytes(sizes[bit]) if bit in sizes else short(random) for bit in range(3, 14)]
    return pack(">H", flags) + b"".join(part for bit, part in enumerate(parts) if flags & 0x8000 >> bit)


def mutated(random: Random, data: bytes) -> bytes:
    """Return properties with up to three mutations; half of them stay as they are."""
    changed = bytearray(data)
    for _ in range(random.choice((0, 0, 1, 2, 3))):
        at = random.randrange(len(changed) + 1)
        mutation = random.randrange(5)
        if mutation == 0:
            changed[at : at + 1] = bytes((random.randrange(256),))
        elif mutation == 1:
            changed[at : at + 4] = random.choice(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), pack(">I", random.randrange(300)))
            )
        elif mutation == 2:
            del changed[at:]
        elif mutation == 3:
            del changed[at : at + random.randrange(1, 30)]
        else:
            changed[at:at] = changed[at : at + random.randrange(1, 100)]
    return bytes(changed[: LARGEST_FRAME - 20])


def tables(random: Random) -> Iterator[bytes]:
    while True:
        yield mutated(random, properties(random))


# -- who gives it out


class Played(amqp.Connection):
    """A connection to a RabbitMQ that is played here: what py-amqp writes is answered with frames, which go the way of those of a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: deque[tuple[int, int, bytes]] = deque()
        self.messages: deque[bytes] = deque()
        self.published: list[bytes] = []
        self.frame_writer = self._written
        self._read = frame_reader(self, self.on_inbound_method, has_room=lambda: True)

    def drain_events(self, timeout: float | None = None) -> None:
        while self.frames:
            self._read(self.frames.popleft())

    def give_out(self, method: bytes, properties: bytes) -> None:
        header = pack(">HHQ", 60, 0, len(BODY)) + properties
        self.frames += ((METHOD, 1, method), (HEADER, 1, header), (BODY_FRAME, 1, BODY))

    def _written(self, _kind: int, _channel: int, method: Any, _arguments: Any, content: Any) -> None:
        if method in ANSWERS:
            self._answer(ANSWERS[method])
        elif method == spec.Basic.Publish:
            self.published.append(content._serialize_properties())
            assert len(self.published[-1]) < LARGEST_FRAME
            self._answer(pack(">HHQB", *spec.Basic.Ack, len(self.published), 0))
        elif method == spec.Basic.Get and not self.messages:
            self._answer(pack(">HHB", *spec.Basic.GetEmpty, 0))
        elif method == spec.Basic.Get:
            properties = self.messages.popleft()
            self.give_out(
                pack(">HHQB", *spec.Basic.GetOk, len(self.messages) + 1, 1) + PLACE + pack(">I", 7), properties
            )

    def _answer(self, method: bytes) -> None:
        self.frames.append((METHOD, 1, method))


TAG: Final = b"\3tag"
PLACE: Final = b"\0\x11ticket.validation"
"""The default exchange, and the routing key."""
ANSWERS: Final = {
    spec.Basic.Qos: pack(">HH", *spec.Basic.QosOk),
    spec.Basic.Consume: pack(">HH", *spec.Basic.ConsumeOk) + TAG,
    spec.Queue.Declare: pack(">HH", *spec.Queue.DeclareOk) + b"\1q" + pack(">II", BATCH, 0),
    spec.Confirm.Select: pack(">HH", *spec.Confirm.SelectOk),
}


class Line:
    """Stands in for the link to a RabbitMQ, whose socket is the one thing that is missing here. An error comes out as it is."""

    largest_frame = LARGEST_FRAME
    trouble = ""

    def __init__(self) -> None:
        self.connection = Played()
        self.channel = amqp.Channel(self.connection, 1, auto_decode=False)
        self.channel.is_open = True

    def open_channel(self) -> amqp.Channel:
        return self.channel

    @contextmanager
    def guard(self) -> Iterator[None]:
        yield

    def pump(self, _timeout: float) -> None:
        self.connection.drain_events()

    def wait(self, is_done: Callable[[], bool], _timeout: float) -> bool:
        self.pump(0)
        return is_done()

    def close(self) -> None:
        """There is nothing to close."""


# -- what is done with it


class Consumer:
    """A worker without a store, up to the first look at a message."""

    def __init__(self, random: Random) -> None:
        self._line, self._random = Line(), random
        self._receiver = RabbitReceiver(self._line, [QUEUE], prefetch=10)  # type: ignore[arg-type] # it stands in
        self._count = 0

    def take(self, properties: bytes) -> str:
        self._count += 1
        delivery = pack(">HH", *spec.Basic.Deliver) + TAG + pack(">QB", self._count, self._random.randrange(2)) + PLACE
        self._line.connection.give_out(delivery, properties)
        (arrival,) = self._receiver.receive(0)
        message, refused = opened(arrival, "ticket", LIMITS)
        assert (message.body, refused is not None) == (BODY, True)
        self._receiver.bury(arrival, str(refused))
        return "unreadable" if arrival.unreadable else "readable"


class Looker:
    """`stamp dlq list`, `show` and `replay`, on what lies in a dead letter queue of RabbitMQ."""

    def __init__(self) -> None:
        self._line = Line()
        self._catalog = Catalog()
        self._graveyard = RabbitGraveyard(self._line, "amqp://played", [QUEUE])  # type: ignore[arg-type] # it stands in

    def take(self, properties: bytes) -> str:
        self._line.connection.messages.append(properties)
        (dead,) = RabbitGraveyard(self._line, "amqp://played", [QUEUE]).find(Wanted())  # type: ignore[arg-type] # the same
        assert dead.message.body == BODY
        json_text(dead_letters.document(dead))
        json_text(dead_letter.document(dead, self._catalog))
        assert self._graveyard.replay([dead]) == 1
        return "dead" if dead.letter.reason == "unknown" else "dead for a reason"


# -- the campaign


@dataclass
class Summary:
    """What came of `count` tables: how often what, the slowest in seconds, the KiB of memory that it took, and what should not have come out."""

    count: int
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    grown: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.findings and self.slowest <= LONGEST and self.grown <= MOST


def run(count: int, seed: int) -> Summary:
    """Throw `count` tables at both ways."""
    random, summary = Random(seed), Summary(count, seed)
    thrown = tables(random)
    for properties in islice(thrown, BATCH):
        _throw((Consumer(random), Looker()), properties, Summary(0, seed))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, properties in enumerate(islice(thrown, count)):
        if number % BATCH == 0:
            takers = Consumer(random), Looker()
        _throw(takers, properties, summary)
    summary.grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return summary


def _throw(takers: Sequence[Any], properties: bytes, summary: Summary) -> None:
    for taker in takers:
        kind = type(taker).__name__
        try:
            outcome, took = _timed(taker, properties)
            if took > summary.slowest:  # a collection of garbage does not come three times
                took = min(took, *(_timed(taker, properties)[1] for _ in range(2)))
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
            summary.findings.append(f"{kind}: {type(error).__name__}: {str(error)[:200]}: {properties[:2000].hex()}")
            outcome, took = "came out", 0.0
        summary.outcomes[f"{kind}: {outcome}"] += 1
        summary.slowest = max(summary.slowest, took)


def _timed(taker: Any, properties: bytes) -> tuple[str, float]:
    start = time.thread_time()
    return taker.take(properties), time.thread_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="how many tables (default 200,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the tables (default 1)")
    options = parser.parse_args()
    began = time.perf_counter()
    summary = run(options.count, options.seed)
    for outcome, count in sorted(summary.outcomes.items()):
        print(f"{count:>9,}  {outcome}")
    for finding in summary.findings[:10]:
        print(finding, file=sys.stderr)
    print(
        f"{summary.count:,} tables in {time.perf_counter() - began:.0f} s, seed {summary.seed}; {len(summary.findings)} findings"
    )
    print(
        f"slowest {summary.slowest * 1000:.1f} ms (at most {LONGEST * 1000:.0f}), {summary.grown / 1024:.1f} MiB more memory (at most {MOST >> 10})"
    )
    return 0 if summary.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
