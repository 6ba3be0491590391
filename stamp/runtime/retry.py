"""How often work is tried again, and how long it rests before that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import Final

from stamp.errors import InputError
from stamp.runtime.span import DEATHS, SECONDS

__all__ = ["RETRY", "Retry"]


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` are those that a handler may use up by raising. Rests are in seconds.

    A rest lies between half of what is due and all of it, and what is due doubles from `first` to `longest`: works that failed
    together do not come back together. `deaths` are attempts that ended without an answer, because the worker was killed: they say little about
    the work, which may only have been near, so there may be more of them; but not endlessly many, since it may be what kills.

    Raises:
        InputError: a number that makes no sense.
    """

    attempts: int = 5
    first: float = 1.0
    longest: float = 300.0
    deaths: int = 20

    def __post_init__(self) -> None:
        DEATHS.check(self.attempts, "retry.attempts")
        DEATHS.check(self.deaths, "retry.deaths")
        SECONDS.check(self.first, "retry.first")
        SECONDS.check(self.longest, "retry.longest")
        if self.first > self.longest:
            text = f"expected a first rest that is at most the longest, got {self.first} and {self.longest}"
            raise InputError(text, path="retry")

    def rest(self, failures: int, chance: Callable[[], float] = random) -> int:
        """Return how long to rest after so many failures, in microseconds."""
        due = min(self.first * 2.0 ** min(failures - 1, 64), self.longest)
        return round(due * (0.5 + chance() / 2) * 1_000_000)


RETRY: Final = Retry()
