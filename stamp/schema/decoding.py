"""A decoder at work: running the code that was written for a pair of schemas, and saying where it failed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import CodeType, TracebackType
from typing import Any, Final

from stamp.errors import DecodeError, LimitError, ResolutionError
from stamp.schema import values
from stamp.schema.limits import MAX_DEPTH

__all__ = ["Decoder"]

_FAILURES: Final = (ValueError, IndexError, OverflowError, struct.error, RecursionError)
"""What the code of a decoder raises for data that it cannot read."""


class Decoder:
    """A compiled reader of one writer schema; call it with the bytes of one datum."""

    __slots__ = ("_lines", "_read", "source")

    def __init__(self, source: str, namespace: dict[str, Any], lines: Mapping[str, Mapping[int, str]]) -> None:
        self.source = source
        exec(compile(source, "<stamp decoder>", "exec"), namespace)  # noqa: S102 - written here, from linted schemas
        self._read: Callable[[bytes, int, int, int], tuple[Any, int]] = namespace["read_0"]
        self._lines: dict[CodeType, Mapping[int, str]] = {namespace[name].__code__: at for name, at in lines.items()}

    def __call__(self, data: bytes) -> Any:
        """Return the datum that `data` holds, all of it.

        Raises:
            DecodeError: the bytes are not one datum of the writer schema. `offset` counts from the start of `data`.
            ResolutionError: the datum is well-formed, but the reader schema has no value for it.
        """
        end = len(data)
        try:
            datum, stop = self._read(data, 0, end, 0)
            if stop == end:
                return datum
        except _FAILURES as error:
            raise self._located(error, end) from error
        if stop < end:
            raise DecodeError(f"expected the end after {stop} bytes, got {end - stop} more", offset=stop)
        raise self._located(IndexError(), end)

    def read(self, data: bytes, start: int, end: int) -> tuple[Any, int]:
        """Return the datum that begins at `start`, and where it ends: for data that follow one another.

        `end` is where `data` ends, that is `len(data)`. Raises as a call does.
        """
        try:
            datum, stop = self._read(data, start, end, 0)
            if stop <= end:
                return datum, stop
        except _FAILURES as error:
            raise self._located(error, end) from error
        raise self._located(IndexError(), end)

    def _located(self, error: Exception, end: int) -> DecodeError | LimitError | ResolutionError:
        path, offset = self._place(error.__traceback__)
        if isinstance(error, values.UnreadableError):
            return ResolutionError(str(error), path=path, offset=offset)
        if isinstance(error, values.TooDeepError | RecursionError):
            return LimitError(f"records nest deeper than {MAX_DEPTH}", path=path, offset=offset)
        if isinstance(error, IndexError | struct.error):
            return DecodeError(f"the data ends in the middle of a value, after {end} bytes", path=path, offset=offset)
        if isinstance(error, UnicodeDecodeError):
            return DecodeError(f"expected UTF-8 text, got {error.object[:40]!r}", path=path, offset=offset)
        return DecodeError(str(error), path=path, offset=offset)

    def _place(self, traceback: TracebackType | None) -> tuple[str | None, int | None]:
        path, offset = "", None
        while traceback is not None:
            frame = traceback.tb_frame
            if (lines := self._lines.get(frame.f_code)) is not None:
                path += lines.get(traceback.tb_lineno, "")
                offset = frame.f_locals.get("p", offset)
            traceback = traceback.tb_next
        return path.removeprefix(".") or None, offset
