"""Processes that a trial has: commands of stamp that it waits for, and services that it starts and stops."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple, Self

__all__ = ["Done", "Forks", "Process"]

SHARED: Final = Path(__file__).parent / "shared"

ENVIRONMENT: Final[Mapping[str, str]] = {
    **{name: value for name, value in os.environ.items() if not name.startswith("STAMP_")},
    "PYTHONPATH": str(SHARED),
    "PYTHONDONTWRITEBYTECODE": "1",  # two versions of a module may be written within one second
}
PATIENCE: Final = 60.0
"""How long a command may take, and a service to stop, in seconds."""


class Done(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    text: str


@dataclass(frozen=True)
class Process:
    """A process, which is a child of somebody else. What it says is in the file `said`."""

    pid: int
    said: Path
    handle: int

    @classmethod
    def of(cls, pid: int, said: Path) -> Self:
        handle = -1
        with suppress(ProcessLookupError):  # so short a life
            handle = os.pidfd_open(pid)
        return cls(pid, said, handle)

    def stop(self) -> int:
        """Ask it to stop, and return the exit status.

        Raises:
            TimeoutError: it does not stop.
        """
        with suppress(ProcessLookupError):
            if self.handle != -1:
                signal.pidfd_send_signal(self.handle, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended, and return the exit status; -1 if it was killed.

        Raises:
            TimeoutError: it takes too long.
        """
        if not self.has_ended(PATIENCE):
            raise TimeoutError(f"process {self.pid} does not end: {self.text[-2000:]}")
        status = Path(f"{self.said}.status")
        return int(status.read_text()) if status.exists() else -1

    def has_ended(self, timeout: float = 0) -> bool:
        return self.handle == -1 or bool(select.select([self.handle], [], [], timeout)[0])

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.said.read_text(errors="replace")


class Forks:
    """Has processes made, each with a file of its own in `folder` for what it says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._server = subprocess.Popen(
            [sys.executable, SHARED / "forked.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        )

    def start(self, program: str, *arguments: str, cwd: Path) -> Process:
        """Start a program in a folder."""
        said = self._folder / f"{next(self._numbers):04}-{program}-{arguments[0]}.log"
        order = {"program": program, "arguments": arguments, "cwd": str(cwd), "said": str(said)}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        said.touch()
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()
        return Process.of(int(self._server.stdout.readline()), said)

    def call(self, *arguments: str, cwd: Path, allowed: Sequence[int] = (0,)) -> Done:
        """Run a command of stamp.

        Raises:
            RuntimeError: it ended with a status that is not `allowed`.
        """
        process = self.start("stamp", *arguments, cwd=cwd)
        done = Done(process.wait(), process.text)
        if done.status not in allowed:
            raise RuntimeError(f"stamp {' '.join(arguments)} ended with {done.status}:\n{done.text}")
        return done

    def close(self) -> None:
        """End all processes at once."""
        self._server.kill()
        self._server.communicate()
