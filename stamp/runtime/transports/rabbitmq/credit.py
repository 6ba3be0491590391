"""How many messages RabbitMQ may give a consumer ahead of its acknowledgements, so that their bodies fit into the bytes that there are for them.

RabbitMQ counts messages and no bytes (`prefetch_size` is not implemented). So the count follows from the largest body that has come lately, and
grows again, twice as large each time, while bodies stay small.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Credit"]

PROVEN: Final = 20
"""How often the count has to come, without too much in it, before it grows."""


class Credit:
    """Of each of `consumers`: `count` messages, `most` at first and at most."""

    def __init__(self, most: int, consumers: int) -> None:
        self._most, self._consumers = most, consumers
        self._largest = self._arrived = self._returned = 0
        self.count = most

    def arrived(self, size: int) -> None:
        """Count a message with a body of `size` bytes."""
        self._arrived += 1
        self._largest = max(self._largest, size)

    @property
    def may_grow(self) -> bool:
        """Whether so many have come since the count was set that it has proved too small."""
        proven = max(PROVEN * self.count * self._consumers, self._returned)
        return self.count < self._most and self._arrived >= proven

    def grow(self) -> None:
        """Double the count."""
        self._set(self.count * 2)

    def fit(self, room: int, *, returned: int) -> None:
        """Set the count so that messages as large as the largest of those that have come fit into `room` bytes.

        It does not grow before as many have come as were `returned`: RabbitMQ gives those out first, and what was returned a second time after the
        others of them.
        """
        self._returned = returned
        self._set(room // (max(1, self._largest) * self._consumers))

    def _set(self, count: int) -> None:
        self.count = min(max(1, count), self._most)
        self._largest = self._arrived = 0
