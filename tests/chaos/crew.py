"""The workers: four at a time, each of which is killed and replaced until the schedule is through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from process import Process
from schedule import End, Life
from setting import LEASE, Orders, Setting

__all__ = ["Crew"]

POSTS: Final[Mapping[str, Sequence[str]]] = {
    "a": ["validation", "assignment", "notification", "regret"],
    "b": ["notification", "resolution", "billing"],
    "c": ["billing", "audit", "survey"],
    "d": ["validation", "assignment", "resolution", "audit", "survey", "regret"],
}
"""Who performs which steps: each step has two."""

PAUSE: Final = 1.5 * LEASE
AFTERWARDS: Final = 0.7
"""How long a worker sleeps, longer than anybody keeps its works for it, and how long it lives then, in seconds."""


class Crew:
    """Starts workers and ends them, not more than are `allowed` so far. `deaths` are counted by how, `points` by where."""

    def __init__(self, setting: Setting, lives: Iterator[Life], log: IO[bytes]) -> None:
        env = {**os.environ, "STAMP_CHAOS": setting.json()}
        program = Path(__file__).with_name("service.py")
        self._service = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, text=True
        )
        self._folder = Path(setting.folder)
        self.deaths: Counter[str] = Counter()
        self.points: Counter[str] = Counter()
        self.pauses = 0
        self.allowed = 0
        self._posts = [_Post(self, letter, steps) for letter, steps in POSTS.items()]
        self._lives = lives

    def start(self, orders: Orders) -> Process:
        assert self._service.stdin is not None
        assert self._service.stdout is not None
        self._service.stdin.write(f"{orders.json()}\n")
        self._service.stdin.flush()
        return Process(int(self._service.stdout.readline()), orders, self._folder)

    def next_life(self) -> Life | None:
        """Return the next life of the schedule; None when there is none left: then nobody is killed any more."""
        return next(self._lives, None)

    def note_death(self, life: Life | None, said: str) -> None:
        """Count a death that was seen."""
        if life is None or said:
            self.deaths[f"by itself ({said or 'killed by nobody here'})"] += 1
            return
        self.deaths[life.end] += 1
        self.points[life.point] += life.end is End.POINT

    def tend(self) -> None:
        for post in self._posts:
            post.tend()

    @property
    def may_strike(self) -> bool:
        """Whether one more may die now."""
        return self.deaths.total() < self.allowed

    @property
    def is_at_peace(self) -> bool:
        """Whether all of them will live."""
        return all(post.is_at_peace for post in self._posts)

    def stop(self) -> Sequence[str]:
        """Ask all to stop, and return what each said at its end."""
        for post in self._posts:
            post.send(signal.SIGTERM)
        return [post.leave() for post in self._posts]

    def close(self) -> None:
        """End all at once, by ending who would have to live with them."""
        for post in self._posts:
            post.send(signal.SIGKILL)
        self._service.kill()
        self._service.communicate()


class _Post:
    """The place of one worker, which somebody always has."""

    def __init__(self, crew: Crew, letter: str, steps: Sequence[str]) -> None:
        self._crew, self._letter, self._steps = crew, letter, steps
        self._process: Process | None = None
        self._life: Life | None = None
        self._number = 0
        self._due: float | None = None
        self._wakes: float | None = None
        self._has_slept = False

    @property
    def is_at_peace(self) -> bool:
        return self._process is not None and self._life is None and self._process.is_ready

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send(number)

    def leave(self) -> str:
        """Wait until the worker has ended, and return what it said."""
        assert self._process is not None
        until = time.monotonic() + 30
        while not self._process.has_ended:
            if time.monotonic() > until:
                return "did not stop"
            time.sleep(0.02)
        return self._process.last_word or "died"

    def tend(self) -> None:
        now = time.monotonic()
        if self._process is None:
            self._begin()
        elif self._process.has_ended:
            self._crew.note_death(self._life, self._process.last_word)
            self._process.close()
            self._begin()
        elif self._life is not None:
            self._go_on(self._life, self._process, now)

    def _begin(self) -> None:
        self._life = life = self._crew.next_life()
        self._number += 1
        self._due = self._wakes = None
        self._has_slept = False
        orders = Orders(name=f"{self._letter}{self._number}", steps=self._steps)
        if life is not None and life.point:
            number = signal.SIGSTOP if life.end is End.PAUSE else signal.SIGKILL
            orders = replace(orders, point=life.point, passing=life.passing, signal=number)
        self._process = self._crew.start(orders)

    def _go_on(self, life: Life, process: Process, now: float) -> None:
        if self._due is None:
            self._due = now + life.after if process.is_ready or process.has_fallen_asleep else None
        elif self._wakes is not None and now >= self._wakes:
            process.send(signal.SIGCONT)
            self._wakes, self._due = None, now + AFTERWARDS
        elif life.end is End.PAUSE and not self._has_slept and (process.has_fallen_asleep or now >= self._due):
            process.send(signal.SIGSTOP)
            self._wakes, self._has_slept = now + PAUSE, True
            self._crew.pauses += 1
        elif self._wakes is None and now >= self._due and self._crew.may_strike:
            self._strike(life, process)

    def _strike(self, life: Life, process: Process) -> None:
        process.send(signal.SIGKILL)
        if life.end is End.POINT:  # it did not get there: it dies like others
            self._life = life._replace(end=End.ANY_TIME)
        self._due = float("inf")
