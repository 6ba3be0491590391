"""The lines of a file, numbered, and none of them larger in memory than it may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import IO

__all__ = ["Line", "lines"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line without what ends it. `rest` gives, chunk by chunk, what is left of a line that is too long."""

    number: int
    data: bytes
    is_too_long: bool = False
    rest: Iterator[bytes] = field(default_factory=lambda: iter(()), compare=False)


def lines(stream: IO[bytes], longest: int) -> Iterator[Line]:
    r"""Yield the lines of a stream that are not blank, counted from 1. Only `\n` ends a line.

    Of a line with more than `longest` bytes `data` are as many; its `rest` is to be read before the next line is.
    """
    for number in count(1):
        data = stream.readline(longest + 1)
        if not data:
            return
        if len(data) <= longest or data.endswith(b"\n"):
            if data.strip():
                yield Line(number, data.rstrip(b"\r\n"))
            continue
        line = Line(number, data[:longest], is_too_long=True, rest=_rest(stream, data[longest:], longest))
        yield line
        for _ in line.rest:
            pass


def _rest(stream: IO[bytes], chunk: bytes, size: int) -> Iterator[bytes]:
    while chunk:
        yield chunk.removesuffix(b"\n")
        if chunk.endswith(b"\n"):
            return
        chunk = stream.readline(size)
