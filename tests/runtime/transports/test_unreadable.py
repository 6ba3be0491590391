"""What a client library cannot read, or nobody wants to have, is one dead letter: its neighbours arrive, and whoever looks at dead letters sees it."""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import pytest

from stamp.envelope.format import CONTENT_TYPE
from stamp.envelope.limits import LIMITS
from stamp.runtime.arrival import opened
from stamp.runtime.graveyard import HasGraveyard, Wanted
from stamp.runtime.outside import CONTENT_ENCODING, LARGEST, LONGEST, LONGEST_JSON
from stamp.runtime.transports.documents import DOCUMENT_TYPE, directory_name
from stamp.runtime.transports.redis.address import Address
from stamp.runtime.transports.sqs.names import name_of

from .brokers import RABBITMQ, REDIS, Foreign
from .stage import Stage, bodies, take

pytestmark = pytest.mark.promised("buries")

NEIGHBOURS = (b"before", b"after")


def buried(stage: Stage, put: Callable[[], object]) -> tuple[str | None, str]:
    """Bury what `put` puts between two others, look at it and replay it; return why it is unreadable, and why it is no event."""
    stage.publish(NEIGHBOURS[0])
    put()
    stage.publish(NEIGHBOURS[1])
    receiver = stage.receiver("alpha")
    arrivals = take(receiver, 3)
    (odd,) = (each for each in arrivals if each.body not in NEIGHBOURS)
    neighbours = [each for each in arrivals if each is not odd]
    assert sorted(bodies(neighbours)) == sorted(NEIGHBOURS)
    _, refused = opened(odd, stage.name, LIMITS)
    receiver.bury(odd, f"no-envelope: {refused}")
    receiver.acknowledge(neighbours)
    receiver.close()
    if isinstance(stage.transport, HasGraveyard):
        _replayed(stage, odd.body)
    return odd.unreadable, str(refused)


def _replayed(stage: Stage, body: bytes) -> None:
    with stage.transport.graveyard([stage.queue("alpha")]) as graveyard:
        (dead,) = graveyard.find(Wanted())
        assert dead.message.body == body
        assert sum(len(name) + len(value) for name, value in dead.message.headers.items()) < LARGEST + LONGEST
        assert graveyard.replay([dead]) == 1
    (again,) = take(stage.receiver("alpha"), 1)
    assert again.body == body


# -- everywhere


def test_headers_that_are_no_text_are_of_no_use_and_no_harm(stage):
    foreign = Foreign(b"body", {"compression": [[[{"a": []}]]], "a": "1"}, CONTENT_TYPE, CONTENT_ENCODING)
    unreadable, _ = buried(stage, lambda: stage.inject("alpha", foreign))
    assert unreadable is None


LONG = "\x1b[2J" + "x" * 400_000
"""Twice this is less than what Kafka takes, and more than a frame of RabbitMQ has room for."""


@pytest.mark.but("rabbitmq", "sqs")
@pytest.mark.parametrize(
    "foreign",
    [Foreign(b"body", {"large": LONG, "small": "1"}, "a/b"), Foreign(b"body", {"small": "1"}, LONG, LONG)],
    ids=["header", "content type"],
)
def test_of_megabytes_beside_a_body_little_is_kept_and_less_is_said(stage, foreign):
    unreadable, said = buried(stage, lambda: stage.inject("alpha", foreign))
    assert unreadable is None
    assert len(said) < LONGEST
    assert "\x1b" not in said


# -- RabbitMQ


def nested(kind: bytes, depth: int) -> bytes:
    before = b"\1a" if kind == b"F" else b""
    sizes = (len(before) + 2 + number * (5 + len(before)) for number in reversed(range(depth)))
    return b"".join(kind + struct.pack(">I", size) + before for size in sizes) + b"t\1"


ENTRIES = {
    "arrays": b"\4name" + nested(b"A", 2_000),
    "thousands": b"\4name" + nested(b"A", 5_000),
    "tables": b"\4name" + nested(b"F", 600),
    "compression": b"\x0bcompression" + nested(b"A", 2_000),
    "some levels": b"\x0bcompression" + nested(b"A", 400),
    "time": b"\4nameT" + struct.pack(">Q", 1_767_323_045_678),
    "latest time": b"\4nameT" + b"\xff" * 8,
    "name": b"\2\xff\xfeS\0\0\0\1a",
    "reason": b"\x0cstamp-reasonS\0\0\0\1\xff",
    "deaths": b"\7x-death" + nested(b"A", 500),
    "a death": b"\7x-deathA" + struct.pack(">I", 19) + b"F\0\0\0\x0e\4timeT" + b"\xff" * 8,
    "deliveries": b"\x10x-delivery-countS\0\0\0\1a",
    "routing": b"\2CCA\0\0\0\0",
}


class Raw(amqp.Message):
    """A message with headers that are given as bytes."""

    def __init__(self, table: bytes) -> None:
        super().__init__(b"body")
        self._table = table

    def _serialize_properties(self) -> bytes:
        return b"\x30\x00" + struct.pack(">I", len(self._table)) + self._table + b"\2"


@pytest.fixture
def channel():
    """A channel of a client that is not ours."""
    parts = urlsplit(RABBITMQ)
    with amqp.Connection(f"{parts.hostname}:{parts.port or 5672}", parts.username, parts.password) as connection:
        yield connection.channel()


TABLE = b"\1aS\0\0\0\1b" + b"".join(ENTRIES.values())


@pytest.mark.only("rabbitmq")
def test_whatever_is_in_a_table_of_headers_a_worker_takes_what_is_text(stage, channel):
    stage.sender()
    receiver = stage.receiver("alpha")
    channel.basic_publish(Raw(TABLE), "", stage.queue("alpha"))
    channel.basic_publish_confirm(amqp.Message(b"after"), "", stage.queue("alpha"))
    odd, after = take(receiver, 2)
    assert (odd.body, odd.headers, odd.unreadable) == (b"body", {"a": "b", "x-delivery-count": "a"}, None)
    assert (after.body, after.headers) == (b"after", {})
    receiver.bury(odd, "no-envelope: it is none")
    receiver.acknowledge([after])
    receiver.close()
    with stage.transport.graveyard([stage.queue("alpha")]) as graveyard:
        (letter,) = graveyard.find(Wanted())
    assert (letter.letter.reason, letter.message.headers) == ("no-envelope", {"a": "b"})


@pytest.mark.only("rabbitmq")
def test_whatever_is_in_the_table_of_a_dead_letter_it_is_found_and_worked_on_again(stage, channel):
    receiver = stage.receiver("alpha")
    channel.basic_publish_confirm(Raw(TABLE), "", f"{stage.queue('alpha')}.dead")
    with stage.transport.graveyard([stage.queue("alpha")]) as graveyard:
        (letter,) = graveyard.find(Wanted())
        assert (letter.message.body, letter.message.headers, letter.last_at) == (b"body", {"a": "b"}, None)
        assert graveyard.replay([letter]) == 1
    assert [each.body for each in take(receiver, 1)] == [b"body"]


@pytest.mark.only("rabbitmq")
def test_whatever_is_written_into_a_stream_the_documents_in_it_are_read(stage, channel):
    directory = stage.directory()
    directory.write({"a": "1"})
    channel.basic_publish_confirm(Raw(TABLE), "", directory_name(stage.name))
    directory.write({"b": "2"})
    assert directory.read() == {"a": "1", "b": "2"}


# -- headers in JSON


def levels(depth: int) -> str:
    return '{"a": ' + "[" * depth + "]" * depth + "}"


TEXTS = {
    "nothing": "",
    "a list": "[1]",
    "null": "null",
    "no JSON": "{'a': 1}",
    "half of it": '{"a": ',
    "984 levels": levels(984),
    "100,000 levels": levels(100_000),
    "digits": '{"a": ' + "7" * 5_000 + "}",
    "too much": '{"a": "' + "x" * LONGEST_JSON + '"}',
}


@pytest.mark.only("redis")
@pytest.mark.parametrize("headers", [*(each.encode() for each in TEXTS.values()), b"\xff"], ids=[*TEXTS, "no text"])
def test_an_entry_whose_headers_are_no_json_is_a_dead_letter(stage, headers):
    import redis

    address = Address.parse(stage.broker.arguments[0])
    names = {"content-type": CONTENT_TYPE, "content-encoding": CONTENT_ENCODING}

    def put() -> None:
        with redis.Redis.from_url(REDIS) as client:
            client.xadd(address.key(stage.queue("alpha")), {"body": b"body", "headers": headers, **names})

    unreadable, said = buried(stage, put)
    assert unreadable in said if unreadable else headers == levels(984).encode()
    assert "has no attribute" not in said


@pytest.mark.only("redis")
def test_an_entry_with_more_fields_than_a_script_takes_is_a_dead_letter(stage):
    import redis

    key = Address.parse(stage.broker.arguments[0]).key(stage.queue("alpha"))

    def put() -> None:
        with redis.Redis.from_url(REDIS) as client:
            client.xadd(key, {"body": b"body", **{f"field-{number}": b"" for number in range(20_000)}})

    buried(stage, put)


@pytest.mark.only("sqs")
def test_attributes_that_are_no_json_are_a_dead_letter(stage):
    from . import sqs_server

    def put() -> None:
        sqs_server.client().send_message(
            QueueUrl=sqs_server.url(name_of(stage.queue("alpha"))),
            MessageBody="body",
            MessageAttributes={"stamp-headers": {"DataType": "String", "StringValue": levels(5_000)}},
            MessageGroupId="theirs",
            MessageDeduplicationId=stage.name,
        )

    unreadable, said = buried(stage, put)
    assert unreadable is not None
    assert unreadable in said


ROWS = {name: f"[{headers}, null, null]\nbody".encode() for name, headers in TEXTS.items()}


@pytest.mark.only("filesystem")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_file_whose_first_line_is_no_json_is_a_dead_letter(stage, row):
    def put() -> None:
        folder = Path(stage.broker.arguments[0].removeprefix("filesystem://"))
        (folder / "waiting" / f"{stage.queue('alpha')}.queue" / f"{time.time_ns():020}-theirs").write_bytes(row)

    buried(stage, put)


ODD_ROWS: Mapping[str, object] = {**ROWS, "text": "text", "a number": 10**15}


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("row", ODD_ROWS.values(), ids=ODD_ROWS)
def test_a_row_that_is_no_message_is_a_dead_letter(stage, row):
    def put() -> None:
        with closing(
            sqlite3.connect(stage.broker.arguments[0].removeprefix("sqla+sqlite:///").partition("?")[0])
        ) as db:
            db.execute("INSERT INTO stamp_queued (queue, content) VALUES (?, ?)", (stage.queue("alpha"), row))
            db.commit()

    buried(stage, put)


# -- Kafka


NAMES = (b"\xff\xfe", b"\xed\xa0\x80", b"a\xc3")


@pytest.mark.only("kafka")
@pytest.mark.parametrize("name", NAMES)
def test_a_record_with_a_header_whose_name_is_no_text_is_a_dead_letter(stage, name):
    from .kafka_cluster import cluster, inject_raw

    headers = [(b"content-type", CONTENT_TYPE.encode()), (name, b"1"), (b"a", b"2")]
    unreadable, said = buried(stage, lambda: inject_raw(cluster(), stage.queue("alpha"), [(b"body", headers)]))
    assert "SystemError" in str(unreadable)
    assert str(unreadable) in said


@pytest.mark.only("kafka")
def test_many_of_them_are_as_many_dead_letters(stage):
    """Code that has run often is not run by Python as it was the first time, and then such a header ended the process."""
    from .kafka_cluster import cluster, inject_raw

    records = [(b"body", [(name, b"1")]) for name in NAMES for _ in range(30)]
    receiver = stage.receiver("alpha")
    inject_raw(cluster(), stage.queue("alpha"), records)
    arrivals = take(receiver, len(records))
    assert all("SystemError" in str(each.unreadable) for each in arrivals)
    receiver.acknowledge(arrivals)


@pytest.mark.only("kafka")
def test_a_document_of_somebody_else_whose_headers_cannot_be_read_is_passed_over(stage):
    from .kafka_cluster import cluster, inject_raw

    directory = stage.directory()
    directory.write({"a": "1"})
    inject_raw(
        cluster(), directory_name(stage.name), [(b"2", [(b"content-type", DOCUMENT_TYPE.encode()), (b"\xff", b"")])]
    )
    assert directory.read() == {"a": "1"}
