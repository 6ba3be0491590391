"""Time that passes only when a test says so."""

from __future__ import annotations


class Clock:
    """Microseconds since 1970 UTC when it is called; seconds, for what measures durations, from `seconds`."""

    def __init__(self, now: int = 1_800_000_000_000_000) -> None:
        self._now = now

    def __call__(self) -> int:
        return self._now

    def seconds(self) -> float:
        return self._now / 1e6

    def sleep(self, seconds: float) -> None:
        self._now += round(seconds * 1e6)
