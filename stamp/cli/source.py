"""The forms in which a person has envelopes: a container file, the bytes of one, or either of them as hex or base64 text."""

from __future__ import annotations

import io
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from stamp.envelope import wire
from stamp.envelope.format import MAGIC
from stamp.envelope.limits import Limits
from stamp.errors import InputError, WireError
from stamp.schema.catalog import Catalog
from stamp.schema.container import MAGIC as CONTAINER
from stamp.schema.container import read_blocks
from stamp.schema.identity import crc64, parsing_canonical_form
from stamp.schema.lint import lint
from stamp.schema.names import Schema

__all__ = ["GENEROUS", "Found", "Source", "find"]

SINGLE_OBJECT: Final = MAGIC[:2]
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of what is read at once: text, or an envelope that is no container file."""

GENEROUS: Final = Limits(message=LARGEST, contributions=4096, contribution=LARGEST)
"""For what a person looks at: also what was refused for its size, or is of a workflow with other limits."""

CHUNK: Final = 1024 * 1024


class Found(NamedTuple):
    """The body of what should be an envelope. `path` says which one it is, where there may be several."""

    body: bytes
    path: str | None = None


class Source(NamedTuple):
    """Bodies, what they come from is called in messages, and the schemas that are known for them."""

    bodies: Iterator[Found]
    name: str
    catalog: Catalog


def find(stream: IO[bytes]) -> Iterator[Found]:
    """Yield the body of each envelope in `stream`; not yet read, so each may still be a bad one.

    Raises:
        InputError: this is none of the forms. WireError: a container file is damaged; what is before the damage has been yielded.
    """
    head = stream.read(len(CONTAINER))
    if head.startswith(CONTAINER):
        yield from _contained(_Counted(head, stream))
        return
    data = head + stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"expected at most {LARGEST} bytes of what is no container file, got more")
    if not data.startswith(SINGLE_OBJECT):
        data = _from_text(data)
    if data.startswith(CONTAINER):
        yield from _contained(_Counted(b"", io.BytesIO(data)))
    else:
        yield Found(data)


class _Counted(io.RawIOBase):
    """A stream that counts what has been read of it, and that takes memory for what is there, whatever a size in it says."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head, self._rest = head, rest
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end only."""
        wanted = sys.maxsize if size < 0 else size
        parts = [self._head[:wanted]]
        self._head = self._head[wanted:]
        wanted -= len(parts[0])
        while wanted and (part := self._rest.read(min(wanted, CHUNK))):
            parts.append(part)
            wanted -= len(part)
        data = b"".join(parts)
        self.position += len(data)
        return data

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self.position


def _contained(stream: _Counted) -> Iterator[Found]:
    blocks = enumerate(read_blocks(stream))  # type: ignore[arg-type]  # it needs no more than `read`
    seen = 0
    while True:
        try:
            number, (schema, promised, records) = next(blocks)
        except StopIteration:
            return
        except WireError as error:
            raise WireError(error.message, offset=stream.position) from error
        if not number:
            _check(schema)
        before = seen
        try:
            for body in wire.split(records, GENEROUS):
                yield Found(body, f"envelope[{seen}]")
                seen += 1
            if seen - before != promised:
                raise WireError(f"expected {promised} envelopes, got {seen - before}")
        except WireError as error:
            raise error.within(f"block[{number}]") from error


def _check(schema: Schema) -> None:
    """Accept the schema of a container if it is that of an envelope in all that tells how to read one."""
    lint(schema, recursion=True)
    if crc64(parsing_canonical_form(schema).encode()) != MAGIC[2:]:
        name = schema.get("name") if isinstance(schema, dict) else schema
        raise InputError(f"expected a container file of stamp.Envelope version 1, got one of {name!r}")


def _from_text(data: bytes) -> bytes:
    """Return what hex or base64 text stands for. Text may be both: it is what begins as an envelope or a container does."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace")
    for read in (_hex, _base64):
        found = read(text)
        if found is not None and found.startswith((SINGLE_OBJECT, CONTAINER)):
            return found
    raise InputError(
        f"expected a container file (begins with {CONTAINER.hex()}), an envelope ({SINGLE_OBJECT.hex()}), or hex or base64 text of "
        f"either, got {_begin(data)}"
    )


def _hex(text: str) -> bytes | None:
    digits = re.sub(r"\s|0[xX]|\\x", "", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    letters = re.sub(r"\s", "", text).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except ValueError:
        return None


def _begin(data: bytes) -> str:
    return f"bytes that begin with {data[:8].hex()} ({data[:8]!r})" if data else "nothing"
