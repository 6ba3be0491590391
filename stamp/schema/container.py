"""Avro object container files (Avro 1.12, "Object Container Files"), of records that are encoded already."""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final, Self

from stamp.errors import WireError
from stamp.schema.varint import sized, zigzag

__all__ = ["MAGIC", "ContainerWriter", "read_blocks"]

MAGIC: Final = b"Obj\x01"
"""How every container file begins."""

BLOCK: Final = 64 * 1024
"""The size in bytes at which a block is written."""


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


_DAMAGED: Final = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
    OSError,
    zlib.error,
    lzma.LZMAError,
)
"""What fastavro raises for bytes that it cannot read."""


def read_blocks(stream: IO[bytes]) -> Iterator[tuple[Any, bytes]]:
    """Yield the writer schema and the records, one after the other, of each block of a container file, in any codec of fastavro's.

    Raises:
        WireError: this is no container file, or a damaged one.
    """
    import fastavro  # noqa: PLC0415 - takes 20 ms, and only files need it
    from fastavro.schema import SchemaParseException  # noqa: PLC0415

    try:
        reader = fastavro.block_reader(stream)
        for block in reader:
            records: bytes = block.bytes_.getvalue()  # type: ignore[attr-defined]
            yield reader.writer_schema, records
    except (*_DAMAGED, SchemaParseException) as error:
        raise WireError(f"expected an Avro object container file, got one that cannot be read: {error}") from error
