"""Container files: fastavro reads ours, we read fastavro's in its usual codecs, and damage is a WireError."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp.errors import WireError
from stamp.schema.container import ContainerWriter, read_blocks

SCHEMA = {"type": "record", "name": "Note", "fields": [{"name": "text", "type": "string"}]}


def encoded(text: str) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), {"text": text})
    return out.getvalue()


def written(texts: list[str]) -> bytes:
    stream = io.BytesIO()
    with ContainerWriter(stream, SCHEMA, sync=bytes(range(16))) as writer:
        for text in texts:
            writer.append(encoded(text))
    return stream.getvalue()


@given(st.lists(st.text(max_size=50), max_size=20))
@settings(max_examples=50)
def test_fastavro_reads_what_we_write(texts: list[str]) -> None:
    read: list[Any] = list(fastavro.reader(io.BytesIO(written(texts))))
    assert [each["text"] for each in read] == texts


def test_large_files_have_several_blocks() -> None:
    texts = ["x" * 1000] * 200
    blocks = list(read_blocks(io.BytesIO(written(texts))))
    assert len(blocks) > 1
    assert b"".join(records for _, _, records in blocks) == b"".join(map(encoded, texts))
    assert all(schema["name"] == "Note" for schema, _, _ in blocks)


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_we_read_what_fastavro_writes(codec: str) -> None:
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(SCHEMA), [{"text": "a"}, {"text": "b"}], codec=codec)
    stream.seek(0)
    assert b"".join(records for _, _, records in read_blocks(stream)) == encoded("a") + encoded("b")


@pytest.mark.parametrize("cut", [0, 3, 10, 60, -1, -17])
def test_a_damaged_file_is_a_wire_error(cut: int) -> None:
    with pytest.raises(WireError, match=r"Avro object container file|sync marker"):
        list(read_blocks(io.BytesIO(written(["hello"])[:cut])))


@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
@settings(max_examples=200)
def test_any_damage_is_at_most_a_wire_error(at: int, junk: bytes) -> None:
    data = bytearray(written(["hello", "world"]))
    data[at : at + len(junk)] = junk
    with contextlib.suppress(WireError):
        list(read_blocks(io.BytesIO(bytes(data))))


def test_a_small_file_cannot_fill_the_memory() -> None:
    bomb = io.BytesIO()
    fastavro.writer(
        bomb, fastavro.parse_schema(SCHEMA), [{"text": "x" * 80_000_000}], codec="deflate", sync_interval=10**9
    )
    assert len(bomb.getvalue()) < 200_000
    bomb.seek(0)
    with pytest.raises(WireError, match="more than 67108864 bytes"):
        list(read_blocks(bomb))


def test_a_codec_that_we_do_not_have_is_named() -> None:
    data = written(["hello"]).replace(b"\x08null", b"\x08zzzz")
    with pytest.raises(WireError, match="expected one of the codecs null, deflate, bzip2, xz, got 'zzzz'"):
        list(read_blocks(io.BytesIO(data)))
