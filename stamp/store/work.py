"""A message that somebody has taken to work on it."""

from __future__ import annotations

from typing import NamedTuple

from stamp.store.message import Message

__all__ = ["Work"]


class Work(NamedTuple):
    """A message that one taker has until its lease ends, or until somebody else has taken it since.

    `number` and `fence` are what the inbox knows this taking by: a later taker has a higher fence, and whatever the earlier one
    writes then is lost. `attempt` counts takings from 1, `failures` those that ended with postponing it: the difference died with their
    takers, or took longer than their lease. `arrived_at` is in microseconds.
    """

    number: int
    fence: int
    consumer: str
    message: Message
    attempt: int
    arrived_at: int
    failures: int = 0

    @property
    def deaths(self) -> int:
        """How many takings ended without an answer: their takers died, or were too slow for their lease."""
        return self.attempt - self.failures - 1
