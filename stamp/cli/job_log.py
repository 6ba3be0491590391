"""What commands write into the log of a job of GitHub Actions, where a line may be a command of its own.

The runner takes for a command what begins with `::` after any white space, and what holds `##[` anywhere ("Workflow commands for GitHub Actions"
and the older form, `actions/runner`, ActionCommand.cs). Names, paths and values of others must not become any, whoever prints them.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, BinaryIO, Final

from stamp.errors import InputError

__all__ = ["exact_output", "guarded", "issue", "may_run_commands"]

BREAK: Final = rb"(?:[\n\r\x0b\x0c\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9])"
SPACE: Final = rb"(?:[\t-\r\x1c- ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbb\xbf)"
COMMAND: Final = re.compile(rb"(" + BREAK + SPACE + rb"*+:?+)(:?)|(##)\[")
"""A line break with what may be the beginning of a command, and the sign that makes it one, which is empty where it is none.

It takes a run of line breaks as one, whatever follows: to begin again at each would take quadratic time.
"""
ESCAPED: Final = {False: rb"\u003a", True: rb"\u005b"}
"""What stands for the second colon and for the bracket: in JSON the same text, elsewhere to be read as one."""
SIGNS: Final = re.compile(rb"#{1,2}\Z")
LINE: Final = b"\n"


def may_run_commands() -> bool:
    """Tell whether somebody looks for commands in what we write."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


@contextmanager
def guarded() -> Iterator[None]:
    """In a job of GitHub Actions, let nothing that is written to stdout and stderr be taken for a command, unless `issue` writes it."""
    before = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    if not may_run_commands() or any(isinstance(each, _Guarded) for each in before.values()):
        yield
        return
    guards = {name: _Guarded(stream) for name, stream in before.items() if hasattr(stream, "buffer")}
    vars(sys).update(guards)
    try:
        yield
    finally:
        for name, guard in guards.items():
            guard.leave()
            if getattr(sys, name) is guard:  # else somebody has put another one there, for good
                setattr(sys, name, before[name])


def issue(command: str) -> None:
    """Write a line that is meant to be a command. Its data must be escaped."""
    stream = sys.stdout
    with stream.guard.open() if isinstance(stream, _Guarded) else nullcontext():
        stream.write(f"{command}\n")
        stream.flush()


def exact_output() -> BinaryIO:
    """Return where bytes of others are written as they are: stdout, in a job only where that is a file.

    Raises:
        InputError: the log of a job would get them.
    """
    stream = sys.stdout
    if not isinstance(stream, _Guarded):
        return stream.buffer
    stream.flush()
    if not stream.guard.is_file():
        raise InputError("expected a file for bytes that may hold workflow commands, got the log of a job: say > FILE")
    return stream.guard.stream


class _Guarded(io.TextIOWrapper):
    """Another writer to where `stream` writes."""

    def __init__(self, stream: Any) -> None:
        stream.flush()
        self.guard = _Guard(stream.buffer)
        super().__init__(
            self.guard, encoding=stream.encoding, errors=stream.errors, line_buffering=True, write_through=True
        )

    def leave(self) -> None:
        """Let go of the stream without closing it."""
        with suppress(OSError, ValueError):  # nobody reads any more: who wrote has been told
            self.flush()
        with suppress(ValueError):
            self.detach()


class _Guard(io.RawIOBase):
    """Writes bytes to `stream`; the signs that make a command of a line are escaped."""

    name = "<job log>"

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self.stream = stream
        self._begun = LINE
        self._is_open = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let commands through."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def is_file(self) -> bool:
        """Tell whether all goes into a file."""
        try:
            return stat.S_ISREG(os.fstat(self.fileno()).st_mode)
        except OSError:
            return False

    def write(self, data: Any) -> int:
        """Write `data`, of which an end of what was written before may make a command."""
        text = self._begun + bytes(data)
        safe = text if self._is_open else COMMAND.sub(_escape, text)
        self.stream.write(safe[len(self._begun) :])
        self._begun = _begun(text)
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self.stream.flush()

    def writable(self) -> bool:
        """Whether it may be written to: that is what it is for."""
        return True

    def fileno(self) -> int:
        """Return the number of the file."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """Tell whether somebody looks."""
        return self.stream.isatty()


def _escape(match: re.Match[bytes]) -> bytes:
    if match[3]:
        return match[3] + ESCAPED[True]
    return match[1] + ESCAPED[False] if match[2] else match[1]


def _begun(text: bytes) -> bytes:
    """Return what the end of a text has of a command, in short."""
    if signs := SIGNS.search(text):
        return signs[0]
    for last in deque(COMMAND.finditer(text), maxlen=1):
        if last.end() == len(text) and last[1] and not last[2]:
            return LINE + (b":" if last[1].endswith(b":") else b"")
    return b""
