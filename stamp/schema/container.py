"""Avro object container files (Avro 1.12, "Object Container Files"), of records that are encoded already."""

from __future__ import annotations

import bz2
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, Protocol, Self

from stamp.errors import SchemaError, WireError
from stamp.schema.document import parse
from stamp.schema.varint import sized, zigzag

__all__ = ["MAGIC", "ContainerWriter", "read_blocks"]

MAGIC: Final = b"Obj\x01"
"""How every container file begins."""

BLOCK: Final = 64 * 1024
"""The size in bytes at which a block is written."""

LARGEST: Final = 64 * 1024 * 1024
"""Bytes that a block may have when it is read."""


class ContainerWriter:
    """Writes records of one schema, given in their binary form, to a stream; a context manager that leaves the stream open.

    `sync` are 16 bytes that stand between blocks, so that a reader can find the next one: choose them at random.
    """

    def __init__(self, stream: IO[bytes], schema: Any, *, sync: bytes) -> None:
        self._stream, self._sync = stream, sync
        self._records: list[bytes] = []
        self._size = 0
        described = {"avro.schema": json.dumps(schema).encode(), "avro.codec": b"null"}
        header = b"".join(sized(key.encode()) + sized(value) for key, value in described.items())
        stream.write(b"".join((MAGIC, zigzag(len(described)), header, b"\0", sync)))

    def append(self, record: bytes) -> None:
        """Add a record."""
        self._records.append(record)
        self._size += len(record)
        if self._size >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Write what has been added as a block."""
        if self._records:
            block = (zigzag(len(self._records)), zigzag(self._size), *self._records, self._sync)
            self._stream.write(b"".join(block))
            self._records, self._size = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()


def read_blocks(stream: IO[bytes]) -> Iterator[tuple[Any, int, bytes]]:
    """Yield the writer schema, the number of records and the records, one after the other, of each block of a container file.

    No block may take more than 64 MiB, packed or unpacked: a small file cannot fill the memory.

    Raises:
        WireError: this is no container file, or a damaged one, or one in a codec other than null, deflate, bzip2 and xz.
    """
    if stream.read(len(MAGIC)) != MAGIC:
        raise WireError("expected an Avro object container file, got something else", offset=0)
    described = {key: value for count in _counts(stream) for key, value in _entries(stream, count)}
    try:
        schema = parse(described.get("avro.schema", b""))
    except SchemaError as error:
        raise WireError(f"expected a schema in the head of an Avro object container file: {error.message}") from error
    codec = described.get("avro.codec", b"null").decode("ascii", "replace")
    unpack = _CODECS.get(codec)
    if unpack is None:
        known = ", ".join(_CODECS)
        raise WireError(f"expected one of the codecs {known}, got {codec!r}: write the file again with one of them")
    sync = _exactly(stream, 16)
    while (first := stream.read(1)) != b"":
        count = _long(stream, first)
        packed = _exactly(stream, _long(stream))
        if _exactly(stream, 16) != sync:
            raise WireError("expected the sync marker of the file after a block, got other bytes")
        try:
            records = unpack(packed)
        except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
            raise WireError(f"expected a block packed by {codec}, got one that cannot be unpacked: {error}") from error
        yield schema, count, records


def _counts(stream: IO[bytes]) -> Iterator[int]:
    """Yield the number of entries in each block of a map; the size that a negative one has is not needed."""
    while count := _long(stream):
        if count < 0:
            _long(stream)
        yield abs(count)


def _entries(stream: IO[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    for _ in range(count):
        key = _exactly(stream, _long(stream)).decode("utf-8", "replace")
        yield key, _exactly(stream, _long(stream))


def _long(stream: IO[bytes], head: bytes = b"") -> int:
    data = head
    while not data or data[-1] > 127:
        data += _exactly(stream, 1)
        if len(data) > 10:
            raise WireError("expected a number of at most 10 bytes in an Avro object container file, got a longer one")
    number = sum((byte & 127) << 7 * place for place, byte in enumerate(data))
    return number >> 1 ^ -(number & 1)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    if not 0 <= size <= LARGEST:
        raise WireError(f"expected a size of 0 to {LARGEST} bytes in an Avro object container file, got {size}")
    data = stream.read(size)
    if len(data) < size:
        raise WireError(f"expected {size} more bytes of an Avro object container file, got {len(data)} and the end")
    return data


class _Unpacker(Protocol):
    """What zlib, bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """Whether the packed data have ended."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack as much as is asked for."""


def _bounded(unpacker: Callable[[], _Unpacker]) -> Callable[[bytes], bytes]:
    def unpack(packed: bytes) -> bytes:
        own = unpacker()
        data = own.decompress(packed, LARGEST)
        if not own.eof:
            raise ValueError(f"more than {LARGEST} bytes, or no end")
        return data

    return unpack


_CODECS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "null": bytes,
    "deflate": _bounded(lambda: zlib.decompressobj(-zlib.MAX_WBITS)),
    "bzip2": _bounded(bz2.BZ2Decompressor),
    "xz": _bounded(lzma.LZMADecompressor),
}
