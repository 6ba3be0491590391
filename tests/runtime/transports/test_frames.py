"""What is written for RabbitMQ is what py-amqp reads, and what arrives is split where the frames end."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import amqp
import pytest
from amqp.exceptions import UnexpectedFrame
from amqp.method_framing import frame_handler
from amqp.serialization import dumps, loads
from hypothesis import given
from hypothesis import strategies as st

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.outside import LONGEST
from stamp.runtime.transports.rabbitmq.frames import frame_reader, publish, split
from stamp.runtime.transports.rabbitmq.properties import HEADERS, Properties, death, number
from stamp.runtime.transports.rabbitmq.properties import read as read_properties
from stamp.store.message import Message

NAMES = st.text(max_size=60)
MESSAGES = st.builds(
    Message,
    workflow=st.just("ticket"),
    workflow_id=st.just("4729"),
    event=NAMES,
    event_id=st.binary(min_size=16, max_size=16),
    body=st.binary(max_size=20_000),
    headers=st.dictionaries(NAMES, st.text(max_size=200), max_size=10),
)
SMALLEST = 4096
"""Bytes of a frame that every client takes (AMQP 0-9-1, section 4.2.3)."""


def no_more(size):
    pytest.fail("there is no more")


def read(frames):
    """Return the arguments and the message of a `basic.publish`, as py-amqp reads them in a `basic.deliver`."""
    got = []
    handle = frame_handler(
        SimpleNamespace(bytes_recv=0), lambda channel, method, buffer, content: got.append((buffer, content))
    )
    method, *content = frames
    kind, channel, payload = method
    assert payload[:4] == b"\0\x3c\0\x28"
    for frame in ((kind, channel, b"\0\x3c\0\x3c" + payload[4:]), *content):
        handle(frame)
    ((buffer, message),) = got
    return loads("Bssbb", buffer, 4)[0], message


@given(MESSAGES, NAMES, NAMES, st.booleans(), st.integers(1, 65_535), st.sampled_from([SMALLEST, 131_072]))
def test_py_amqp_reads_what_is_written(message, exchange, key, mandatory, channel, largest):
    data = publish(message, exchange, key, mandatory=mandatory, channel=channel, largest=largest)
    frames = split(data, no_more, largest=largest)
    assert {number for _, number, _ in frames} == {channel}
    assert max(len(payload) for *_, payload in frames) + 8 <= largest
    arguments, read_back = read(frames)
    assert arguments == [0, exchange, key, mandatory, False]
    assert (read_back.body or b"") == message.body
    assert read_back.properties == {
        "content_type": CONTENT_TYPE,
        "content_encoding": CONTENT_ENCODING,
        "application_headers": message.headers,
        "delivery_mode": 2,
        "message_id": message.event_id.hex(),
        "type": message.event,
    }


@given(MESSAGES, st.data())
def test_frames_are_split_wherever_reading_stopped(message, data):
    whole = publish(message, "exchange", "key", mandatory=True, channel=1, largest=SMALLEST) * 2
    stop = data.draw(st.integers(1, len(whole)))
    rest = bytearray(whole[stop:])

    def more(size):
        taken, rest[:size] = bytes(rest[:size]), b""
        assert len(taken) == size
        return taken

    frames = split(whole[:stop], more, largest=SMALLEST)
    assert frames == split(whole, no_more, largest=SMALLEST)[: len(frames)]
    assert frames + split(bytes(rest), no_more, largest=SMALLEST) == split(whole, no_more, largest=SMALLEST)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n" * 3, b"\1\0\0\0\0\0\0\0"])
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(DeliveryError, match="AMQP"):
        split(data + bytes(100), no_more, largest=SMALLEST)


def test_an_error_outside_the_properties_is_an_error():
    handle = frame_reader(SimpleNamespace(bytes_recv=0), lambda *_: None, has_room=lambda: True)
    with pytest.raises(UnexpectedFrame):
        handle((3, 1, b"a body without a header"))


# -- properties

VALUES = st.recursive(
    NAMES | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none() | st.floats(allow_nan=False) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SHORT_NAMES = (
    "content_type",
    "content_encoding",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "type",
    "app_id",
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        HEADERS: st.dictionaries(NAMES, VALUES, min_size=1, max_size=6),
        **dict.fromkeys(SHORT_NAMES, NAMES),
        **dict.fromkeys(("delivery_mode", "priority"), st.integers(0, 255)),
        "timestamp": st.integers(0, 2**64 - 1),
    },
)


@given(PROPERTIES)
def test_of_properties_that_py_amqp_writes_all_is_read_that_is_text_or_a_number(properties):
    told = read_properties(amqp.Message(b"", **properties)._serialize_properties())
    assert told.unreadable is None
    known = dict(told.known)
    headers = {
        name: value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")
        for name, value in properties.get(HEADERS, {}).items()
        if isinstance(value, str) or (isinstance(value, bytes) and is_text(value))
    }
    assert known.pop(HEADERS, {}) == headers
    assert known == {name: value for name, value in properties.items() if name != HEADERS}


def is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2))
def test_a_number_in_a_table_is_found_whatever_stands_beside_it(others):
    table = dumps("F", [others | {"x-delivery-count": 7}])[4:]
    assert number(table, b"x-delivery-count") == 7
    assert number(table, b"x-stream-offset") is None


@given(st.text(max_size=300), st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))
def test_the_latest_death_is_told(reason, at):
    deaths = [{"count": 1, "reason": reason, "time": at.replace(microsecond=0)}, {"reason": "earlier"}]
    table = dumps("F", [{"x-death": deaths}])[4:]
    assert death(table).at == int(at.replace(microsecond=0, tzinfo=UTC).timestamp())
    if reason.isascii():
        assert death(table).reason == reason[:LONGEST]


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: b"\xff\xfc" + data))
def test_of_any_bytes_there_are_properties_or_a_reason_why_not(data):
    told = read_properties(data)
    assert (told.unreadable is None) or told == Properties(unreadable=told.unreadable)
