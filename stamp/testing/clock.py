"""A clock that only moves when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["VirtualClock"]


class VirtualClock:
    """Gives microseconds since 1970 UTC, as a workflow's clock does; `tick` passes with each look at it."""

    def __init__(
        self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, tick: timedelta = timedelta(milliseconds=1)
    ) -> None:
        self._now = round(start.timestamp()) * 1_000_000 + start.microsecond
        self._tick = tick // timedelta(microseconds=1)

    def __call__(self) -> int:
        """Return the time, and let one tick pass."""
        now = self._now
        self._now += self._tick
        return now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by // timedelta(microseconds=1)
