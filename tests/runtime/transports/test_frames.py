"""What is written for RabbitMQ is what py-amqp reads, and what arrives is split where the frames end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from amqp.exceptions import UnexpectedFrame
from amqp.method_framing import frame_handler
from amqp.serialization import loads
from hypothesis import given
from hypothesis import strategies as st

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import DeliveryError
from stamp.runtime.message import CONTENT_ENCODING
from stamp.runtime.transports.rabbitmq.frames import frame_reader, publish, split
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
    handle = frame_reader(SimpleNamespace(bytes_recv=0), lambda *_: None)
    with pytest.raises(UnexpectedFrame):
        handle((3, 1, b"a body without a header"))
