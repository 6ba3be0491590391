"""Nothing but an envelope is unpacked."""

from __future__ import annotations

import zlib
from functools import reduce

import kombu
import pytest
from kombu.entity import Exchange, Queue

from stamp.errors import WireError
from stamp.runtime.message import CONTENT_ENCODING, CONTENT_TYPE, refusal

# content type, content encoding, headers, what the refusal says
REFUSED = [
    (None, CONTENT_ENCODING, {}, "got None"),
    ("application/json", CONTENT_ENCODING, {}, "got application/json"),
    (CONTENT_TYPE + "; charset=utf-8", CONTENT_ENCODING, {}, "charset"),
    (CONTENT_TYPE, None, {}, "encoding"),
    (CONTENT_TYPE, "utf-8", {}, "utf-8"),
    (CONTENT_TYPE, CONTENT_ENCODING, {"compression": "application/x-gzip"}, "x-gzip"),
    (CONTENT_TYPE, CONTENT_ENCODING, {"compression": reduce(lambda inner, _: [inner], range(100_000), [0])}, "by list"),
    ("x" * 3_000_000, CONTENT_ENCODING, {}, "x" * 60 + "..."),
    ("\x1b[2J\u202e\n", CONTENT_ENCODING, {}, r"\x1b[2J\u202e\n"),
    (CONTENT_TYPE, "x" * 3_000_000, {}, "x" * 60 + "..."),
]


def test_an_envelope_is_not_refused():
    assert refusal(CONTENT_TYPE, CONTENT_ENCODING, {"ce-subject": "4729"}) is None


@pytest.mark.parametrize(("content_type", "encoding", "headers", "text"), REFUSED, ids=range(len(REFUSED)))
def test_anything_else_is_refused_and_the_text_says_why(content_type, encoding, headers, text):
    refused = refusal(content_type, encoding, headers)
    assert isinstance(refused, WireError)
    assert text in str(refused)
    assert len(str(refused)) < 200


@pytest.fixture
def receive(connection, name):
    """Publish a body with properties, and return the refusal that a consumer gets with it, or None, and the body."""
    channel = connection.default_channel
    queue = Queue(name, Exchange(name, type="topic"), routing_key="order")
    received = []
    consumer = kombu.Consumer(
        channel,
        [queue],
        accept=[CONTENT_TYPE],
        on_message=lambda message: received.append((None, message)),
        on_decode_error=lambda message, error: received.append((error, message)),
    )

    def send_and_receive(body, **properties):
        kombu.Producer(channel, queue.exchange, "order").publish(body, **properties)
        with consumer:
            connection.drain_events(timeout=5)
        ((error, message),) = received
        message.ack()
        return error, message.body

    return send_and_receive


def test_an_envelope_arrives_as_it_was_sent(receive):
    body = bytes(range(256))
    assert receive(body, content_type=CONTENT_TYPE, content_encoding=CONTENT_ENCODING) == (None, body)


def test_a_compressed_body_is_refused_and_not_decompressed(receive):
    error, body = receive(
        b"0" * 100_000, content_type=CONTENT_TYPE, content_encoding=CONTENT_ENCODING, compression="zlib"
    )
    assert isinstance(error, WireError)
    assert len(body) < 1_000
    assert zlib.decompress(body) == b"0" * 100_000


def test_another_content_type_is_refused_and_not_decoded(receive):
    error, body = receive({"some": "json"}, serializer="json")
    assert isinstance(error, WireError)
    assert body == b'{"some": "json"}'
