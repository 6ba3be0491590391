"""Envelopes are found in every form in which people have them; everything else is refused in plain words."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from base64 import b64encode, urlsafe_b64encode
from contextlib import suppress

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp import Envelope
from stamp.cli.source import find
from stamp.envelope.format import ENVELOPE, MAGIC
from stamp.errors import InputError, StampError, WireError
from stamp.schema.container import ContainerWriter

BODIES = [
    bytes(Envelope.begin("order", str(number), started_at=number, attributes={"a": "~?>ü"})) for number in range(3)
]


def container(bodies=BODIES, schema=ENVELOPE, *, a_block: int = 100) -> bytes:
    stream = io.BytesIO()
    with ContainerWriter(stream, schema, sync=bytes(range(16))) as writer:
        for number, body in enumerate(bodies):
            if number % a_block == 0:
                writer.flush()
            writer.append(body[len(MAGIC) :])
    return stream.getvalue()


def found(data: bytes) -> list[bytes]:
    return [each.body for each in find(io.BytesIO(data))]


BODY = BODIES[0]
FORMS = {
    "raw": BODY,
    "hex": BODY.hex().encode(),
    "HEX": BODY.hex().upper().encode() + b"\n",
    "0x": b"0x" + BODY.hex().encode(),
    "PostgreSQL": b"\\x" + BODY.hex().encode(),
    "hex in groups": BODY.hex(" ", 2).encode(),
    "hex in lines": b"\r\n".join(BODY.hex(" ").encode()[at : at + 48] for at in range(0, 3 * len(BODY), 48)),
    "0x before each byte": " ".join(f"0x{byte:02x}" for byte in BODY).encode(),
    "base64": b64encode(BODY),
    "base64 in lines": b"\n".join(b64encode(BODY)[at : at + 20] for at in range(0, 2 * len(BODY), 20)),
    "base64 without padding": b64encode(BODY).rstrip(b"="),
    "urlsafe base64": urlsafe_b64encode(BODY),
    "text with a byte order mark": b"\xef\xbb\xbf" + BODY.hex().encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_envelope_is_found_in_every_form(form):
    assert found(FORMS[form]) == [BODY]


@given(st.binary(max_size=50))
def test_text_is_told_apart_from_bytes(rest):
    for text in (b"", b" ", b"\n"):
        for encoded in ((MAGIC + rest).hex().encode(), b64encode(MAGIC + rest), urlsafe_b64encode(MAGIC + rest)):
            assert found(text + encoded + text) == [MAGIC + rest]


@pytest.mark.parametrize("encode", [bytes, lambda data: data.hex().encode(), b64encode])
@pytest.mark.parametrize("a_block", [1, 2, 100])
def test_a_container_has_envelopes_with_their_numbers(encode, a_block):
    data = encode(container(a_block=a_block))
    assert [(each.body, each.path) for each in find(io.BytesIO(data))] == [
        (body, f"envelope[{number}]") for number, body in enumerate(BODIES)
    ]


def test_an_empty_container_has_none():
    assert found(container([])) == []


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_a_container_of_another_writer_is_read(codec):
    stream = io.BytesIO()
    records = [fastavro.schemaless_reader(io.BytesIO(body[len(MAGIC) :]), ENVELOPE, None) for body in BODIES]
    fastavro.writer(stream, ENVELOPE, records, codec=codec, sync_interval=30)
    assert [Envelope.from_bytes(body) for body in found(stream.getvalue())] == [
        Envelope.from_bytes(body) for body in BODIES
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "got nothing"),
        (b"\n", "got bytes that begin with 0a"),
        (b"hello", "got bytes that begin with 68656c6c6f (b'hello')"),
        (
            b"c3",
            "expected a container file (begins with 4f626a01), an envelope (c301), or hex or base64 text of either",
        ),
        (b"c30", "got bytes that begin with 633330"),
        (b'{"workflow_id": "1"}', "got bytes that begin with 7b22"),
        (b"\x1f\x8b\x08\x00", "got bytes that begin with 1f8b0800"),
        ("c301ü".encode(), "expected a container file"),
        (b"x" * (16 * 1024 * 1024 + 1), "expected at most 16777216 bytes"),
    ],
)
def test_everything_else_is_refused(data, said):
    with pytest.raises(InputError) as caught:
        found(data)
    assert said in str(caught.value)


def test_a_container_of_something_else_is_refused():
    stream = io.BytesIO()
    other = {"type": "record", "name": "shop.Invoice", "fields": [{"name": "total", "type": "int"}]}
    fastavro.writer(stream, other, [{"total": 1}])
    with pytest.raises(
        InputError, match=r"expected a container file of stamp.Envelope version 1, got one of 'shop\.Invoice'"
    ):
        found(stream.getvalue())


def test_before_the_damage_all_is_found():
    data = container(a_block=1)
    begin = data.rindex(bytes(range(16)), 0, -16)
    for damaged in (data[:-20], data[: begin + 20] + b"\xff" * (len(data) - begin - 20)):
        seen = []
        with pytest.raises(WireError, match="at byte") as caught:
            seen.extend(each.body for each in find(io.BytesIO(damaged)))
        assert seen == BODIES[:2]
        assert 0 < caught.value.offset <= len(damaged)


def test_damage_within_a_block_is_said_with_the_block():
    data = container([BODIES[0], BODIES[1][:-1] + b"\x02"])
    with pytest.raises(WireError, match=r"block\[0\]") as caught:
        found(data)
    assert caught.value.offset is not None


def test_a_size_that_is_not_there_takes_no_memory():
    data = container([])
    bomb = data + b"\x02" + b"\xfe" * 7 + b"\x01" + b"x"
    with pytest.raises(WireError):
        found(bomb)


@given(st.binary(max_size=100), st.sampled_from([b"", b"Obj\x01", MAGIC[:2], MAGIC, b"c301", b"wwEp"]))
def test_random_bytes_raise_errors_of_stamp_alone(data, begin):
    with suppress(StampError):
        for body in found(begin + data):
            Envelope.from_bytes(body)


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from([bytes, zlib.compress, bz2.compress, lzma.compress]))
def test_a_changed_byte_of_a_container_raises_errors_of_stamp_alone(at, byte, change):
    data = bytearray(change(container()))
    data[at % len(data)] = byte
    with suppress(StampError):
        for body in found(bytes(data)):
            Envelope.from_bytes(body)
