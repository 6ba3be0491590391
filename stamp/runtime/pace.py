"""How many works go into one transaction: so many that the disk is not waited for at each, so few that nobody waits for them."""

from __future__ import annotations

from time import monotonic
from typing import Final

__all__ = ["LARGEST_GROUP", "Pace"]

LARGEST_GROUP: Final = 100
SOON: Final = 0.05
"""How long a group may collect works, in seconds: until then nobody sees what it has done."""


class Pace:
    """Learns how long works take. `limit` is how many to hold: who is slow leaves the others to other performers."""

    def __init__(self) -> None:
        self.limit = 1
        self._seconds: dict[str, float] = {}
        self._alone = 0
        self._began = 0.0

    def begin(self) -> None:
        """Begin a group."""
        self._began = monotonic()

    def has_time(self, consumer: str) -> bool:
        """Tell whether one more work will be done soon enough; of what was never seen it is not known."""
        return monotonic() + self._seconds.get(consumer, SOON) <= self._began + SOON

    def took(self, consumer: str, seconds: float) -> None:
        """Note how long a work took."""
        self._seconds[consumer] = seconds

    def end(self, *, done: int, left: int) -> None:
        """Note how many works there was time for, and how many there was none for."""
        if self._alone:
            self._alone = max(self._alone - done, 0)
        elif left:
            self.limit = max(done, 1)
        elif 2 * done >= self.limit and 2 * (monotonic() - self._began) <= SOON:
            self.limit = min(2 * done, LARGEST_GROUP)

    def one_by_one(self, count: int) -> None:
        """Have the next `count` works done alone, since one of them made a group fail."""
        self.limit, self._alone = 1, max(count, self._alone)

    def pause(self) -> None:
        """Note that there is nothing to do: whatever had to be done alone, others have done."""
        self._alone = 0
