"""How many messages to ask a broker for that counts messages, where room is counted in bytes."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Estimate"]


class Estimate:
    """How large the next messages of a queue may be, from those before: at first as large as they can be, and with every answer at least half of that.

    So more are asked for step by step, and at once fewer when a large one came. What comes beyond the room is one answer at most.
    """

    def __init__(self, largest: int) -> None:
        self._size = largest

    def learn(self, sizes: Iterable[int]) -> None:
        """Note how many bytes the messages of an answer have; there may be none."""
        largest = max(sizes, default=self._size)
        self._size = max(1, largest, self._size // 2)

    def count(self, room: int) -> int:
        """Return for how many messages there are `room` bytes: one always."""
        return max(1, room // self._size)
