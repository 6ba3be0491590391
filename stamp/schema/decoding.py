"""A decoder at work: running the code that was written for a pair of schemas, and saying where it failed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from sys import maxsize
from types import CodeType, TracebackType
from typing import Any, Final, TypeAlias

from stamp.errors import DecodeError, LimitError, ResolutionError
from stamp.schema import values
from stamp.schema.limits import MAX_DEPTH, MAX_VALUES

__all__ = ["Decoder"]

Read: TypeAlias = Callable[[bytes, int, int, int], tuple[Any, int]]

_FAILURES: Final = (ValueError, IndexError, OverflowError, struct.error, RecursionError)
"""What the code of a decoder raises for data that it cannot read."""


def _uncounted(without_items: int, values_per_byte: float) -> int:
    """Return how many bytes cannot stand for too many values; less than none where no bytes can."""
    left = MAX_VALUES - without_items
    if left < 0:
        return -1
    return int(left / values_per_byte) if values_per_byte else maxsize


class Decoder:
    """A compiled reader of one writer schema; call it with the bytes of one datum."""

    __slots__ = ("_code", "_lines", "_namespace", "_plain", "_read", "_sizes", "source")

    def __init__(
        self,
        source: str,
        namespace: dict[str, Any],
        lines: Mapping[str, Mapping[int, str]],
        *,
        without_items: int,
        values_per_byte: float,
        sizes: Mapping[str, int],
    ) -> None:
        """Take the code. There may be `without_items` values in any datum, and `values_per_byte` more for each byte.

        `sizes` is how many values each function builds itself, items of the data apart, those of defaults included.
        """
        self.source = source
        self._namespace, self._sizes = dict(namespace), sizes
        self._plain = _uncounted(without_items, values_per_byte)
        self._code: list[CodeType] = []
        self._lines: dict[CodeType, tuple[int, Mapping[int, str]]] = {}
        text = source.split("\n")
        for name, at in lines.items():  # one by one: to compile all of them at once takes many times the memory
            first, last = min(at), max(at)
            self._code.append(compile("\n".join(text[first - 1 : last]), "<stamp decoder>", "exec"))
            exec(self._code[-1], namespace)  # noqa: S102 - written here, from linted schemas
            self._lines[namespace[name].__code__] = first - 1, at
        self._read: Read = namespace["read_0"]

    def __call__(self, data: bytes) -> Any:
        """Return the datum that `data` holds, all of it.

        Raises:
            DecodeError: the bytes are not one datum of the writer schema. `offset` counts from the start of `data`.
            ResolutionError: the datum is well-formed, but the reader schema has no value for it.
            LimitError: it has more than `MAX_VALUES` values, or nests too deep.
        """
        end = len(data)
        read = self._read if end <= self._plain else self._counting()
        try:
            datum, stop = read(data, 0, end, 0)
            if stop == end:
                return datum
        except _FAILURES as error:
            raise self._located(error, end) from error
        if stop < end:
            raise DecodeError(f"expected the end after {stop} bytes, got {end - stop} more", offset=stop)
        raise self._located(IndexError(), end)

    def read(self, data: bytes, start: int, end: int) -> tuple[Any, int]:
        """Return the datum that begins at `start`, and where it ends: for data that follow one another.

        `end` is where `data` ends, that is `len(data)`. Raises as a call does; how many values there are is not looked at.
        """
        try:
            datum, stop = self._read(data, start, end, 0)
            if stop <= end:
                return datum, stop
        except _FAILURES as error:
            raise self._located(error, end) from error
        raise self._located(IndexError(), end)

    def _counting(self) -> Read:
        """Return a reader of one datum that counts what it builds: for data of which there may be too much."""
        left = MAX_VALUES

        def spend(count: int) -> None:
            nonlocal left
            left -= count
            if left < 0:
                raise values.TooManyError

        def block(*given: int) -> tuple[int, int, int]:
            found = values.block(*given)  # type: ignore[arg-type]  # bytes, and then numbers
            spend(found[0])
            return found

        def counted(read: Read, size: int) -> Read:
            def call(data: bytes, at: int, end: int, depth: int) -> tuple[Any, int]:
                spend(size)
                return read(data, at, end, depth)

            return call

        namespace = self._namespace | {"block": block}
        for each in self._code:
            exec(each, namespace)  # noqa: S102 - as before
        namespace |= {name: counted(namespace[name], size) for name, size in self._sizes.items() if size}
        read: Read = namespace["read_0"]
        return read

    def _located(self, error: Exception, end: int) -> DecodeError | LimitError | ResolutionError:
        path, offset = self._place(error.__traceback__)
        if isinstance(error, values.UnreadableError):
            return ResolutionError(str(error), path=path, offset=offset)
        if isinstance(error, values.TooManyError):
            return LimitError(f"expected at most {MAX_VALUES} values, got more", path=path, offset=offset)
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
            if (known := self._lines.get(frame.f_code)) is not None:
                before, lines = known
                path += lines.get(before + traceback.tb_lineno, "")
                offset = frame.f_locals.get("p", offset)
            traceback = traceback.tb_next
        return path.removeprefix(".") or None, offset
