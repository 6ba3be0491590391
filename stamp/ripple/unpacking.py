"""The bytes of a .tar file, plain or compressed, unpacked as they are asked for and within limits."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Final, Protocol

from stamp.errors import InputError

__all__ = ["MAX_HEADER", "MAX_UNPACKED", "TIME", "Unpacked"]

MAX_UNPACKED: Final = 512 * 1024 * 1024
"""Bytes of an archive when it is unpacked."""

MAX_HEADER: Final = 8 * 1024
"""Bytes that describe one member of an archive: its name has at most 4,096, and tarfile searches them in quadratic time."""

TIME: Final = 30.0
"""Seconds for one archive."""

MAX_MEMORY: Final = 128 * 1024 * 1024
"""Bytes of memory that an .xz file may ask for."""

CHUNK: Final = 64 * 1024


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool:
        """Whether the packed data have ended."""

    @property
    def unused_data(self) -> bytes:
        """What comes after that end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack as much as is asked for, and keep the rest."""


class _Deflated:
    """What zlib calls otherwise than bz2 and lzma do."""

    def __init__(self) -> None:
        self._own = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._own.eof

    @property
    def unused_data(self) -> bytes:
        return self._own.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._own.decompress(self._own.unconsumed_tail + data, max_length)


_PACKED: Final[Mapping[bytes, Callable[[], _Unpacker]]] = {
    b"\x1f\x8b": _Deflated,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(memlimit=MAX_MEMORY),
}
"""How compressed files begin, and what unpacks them."""


def _check_size(size: int) -> None:
    """Accept a number of bytes: tarfile hands on whatever an archive says, and its format has negative numbers, too."""
    if size < 0:
        raise OSError("expected a size of at least 0")


class Unpacked:
    """A stream that goes forward only: `read` and `seek` are for tarfile, which describes a member by what it reads; `take` is for contents.

    Raises:
        InputError: the limits of this module are passed.
    """

    def __init__(self, packed: IO[bytes], file: Path) -> None:
        self._packed, self._file = packed, file
        self._rest, self._at, self._described = b"", 0, 0
        self._end = monotonic() + TIME
        self.last = b""
        """What has been read last."""
        self._head = packed.read(CHUNK)
        self._make = next((make for begin, make in _PACKED.items() if self._head.startswith(begin)), None)
        self._unpacker = None if self._make is None else self._make()

    def described(self) -> None:
        """Begin the next member."""
        self._described = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end only."""
        _check_size(size)
        self._described += size
        if self._described > MAX_HEADER:
            raise self._excess(f"members that are described in {MAX_HEADER} bytes")
        self.last = self.take(size)
        return self.last

    def take(self, size: int) -> bytes:
        """Return the next bytes, which may be many, fewer at the end only."""
        _check_size(size)
        self._check_time()
        parts, wanted = [], size
        while wanted and (self._rest or self._more()):
            parts.append(self._rest[:wanted])
            self._rest = self._rest[wanted:]
            wanted -= len(parts[-1])
        self._at += size - wanted
        return b"".join(parts)

    def seek(self, position: int) -> None:
        """Go forward."""
        self._check_time()
        if position < self._at:
            raise OSError("expected to go forward")
        while self._at < position and (self._rest or self._more()):
            passed = min(position - self._at, len(self._rest))
            self._rest = self._rest[passed:]
            self._at += passed

    def tell(self) -> int:
        """Return how many bytes are behind."""
        return self._at

    def _more(self) -> bytes:
        """Unpack some more when there is nothing left; return it."""
        self._check_time()
        self._rest = self._unpacked() if self._unpacker else self._packed_chunk()
        if self._unpacker and self._at + len(self._rest) > MAX_UNPACKED:
            raise self._excess(f"an archive of at most {MAX_UNPACKED} bytes when it is unpacked")
        return self._rest

    def _unpacked(self) -> bytes:
        while self._unpacker is not None:
            self._check_time()
            if self._unpacker.eof:  # several compressed files, one after the other, are one
                self._head = self._unpacker.unused_data or self._packed_chunk()
                if not self._head.strip(b"\0"):
                    return b""
                assert self._make is not None
                self._unpacker = self._make()
            data = self._unpacker.decompress(b"", CHUNK) or self._unpacker.decompress(self._packed_chunk(), CHUNK)
            if data:
                return data
            if not self._unpacker.eof and not self._peeked():
                raise EOFError("the compressed data end in the middle")
        return b""

    def _check_time(self) -> None:
        if monotonic() > self._end:
            raise self._excess(f"an archive that can be read in {TIME:.0f} seconds")

    def _packed_chunk(self) -> bytes:
        data, self._head = self._head or self._packed.read(CHUNK), b""
        return data

    def _peeked(self) -> bytes:
        self._head = self._head or self._packed.read(CHUNK)
        return self._head

    def _excess(self, expected: str) -> InputError:
        return InputError(
            f"expected {expected}, got more: write only the contracts, `git archive --output=baseline.tar REVISION FOLDER`",
            file=self._file,
        )
