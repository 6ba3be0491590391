"""A clock that only moves when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stamp.errors import InputError
from stamp.schema.values import EPOCH, instant

__all__ = ["VirtualClock"]

MICROSECOND = timedelta(microseconds=1)


class VirtualClock:
    """Gives microseconds since 1970 UTC, as a workflow's clock does; `tick` passes with each look at it.

    Raises:
        InputError: `start` does not say its offset from UTC.
    """

    def __init__(
        self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, tick: timedelta = timedelta(milliseconds=1)
    ) -> None:
        if start.tzinfo is None:
            raise InputError(f"expected a time with its offset from UTC, got {start!r}", path="start")
        self._micros = (start - EPOCH) // MICROSECOND
        self._tick = tick // MICROSECOND

    def __call__(self) -> int:
        """Return the time, and let one tick pass."""
        now = self._micros
        self._micros += self._tick
        return now

    @property
    def micros(self) -> int:
        """The time in microseconds since 1970 UTC; nothing passes."""
        return self._micros

    @property
    def now(self) -> datetime:
        """The time; nothing passes."""
        return instant(self._micros)

    def advance(self, by: timedelta) -> None:
        """Let time pass; a negative time is a clock that is put back."""
        self._micros += by // MICROSECOND
