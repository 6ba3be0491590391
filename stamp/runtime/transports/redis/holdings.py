"""The entries that one consumer was given and has not acknowledged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stamp.runtime.transports.redis.entry import Entry
from stamp.runtime.transports.redis.line import Command, Line
from stamp.runtime.transports.redis.streams import GROUP

__all__ = ["Holdings", "by_key"]


class Holdings:
    """What the consumer `name` holds, of `size` bytes together.

    An entry that it does not refresh in time is somebody else's: that is seen from the server's list, and the entry is left to them.
    """

    def __init__(self, line: Line, name: str) -> None:
        self._line = line
        self._name = name
        self._held: dict[tuple[str, bytes], int] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, entries: Iterable[Entry]) -> None:
        """Note that `entries` were given to us."""
        for entry in entries:
            self._held[entry.key, entry.id] = entry.size
            self.size += entry.size

    def new(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return those of `entries` that we do not hold: the others were not refreshed in time, and nobody else claimed them."""
        return [entry for entry in entries if (entry.key, entry.id) not in self._held]

    def select(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return those of `entries` that we hold; others were acknowledged before, or came on another connection."""
        return [entry for entry in entries if (entry.key, entry.id) in self._held]

    def remove(self, entries: Iterable[Entry]) -> None:
        """Note that `entries` are settled."""
        self.size -= sum(self._held.pop((entry.key, entry.id), 0) for entry in entries)

    def refresh(self, *, idle: int = 0) -> None:
        """Tell the server that nobody has done anything with our entries for `idle` milliseconds: none, as long as we are at work.

        Raises:
            DeliveryError: the connection failed.
        """
        claims: list[Command] = [
            ("XCLAIM", key, GROUP, self._name, 0, *ids, "IDLE", idle, "JUSTID") for key, ids in self._ours().items()
        ]
        self._line.ask(*claims)

    def _ours(self) -> Mapping[str, list[bytes]]:
        """Return what is ours in the server's eyes, too."""
        keys = list(by_key(self._held))
        lists = self._line.ask(*(("XPENDING", key, GROUP, "-", "+", len(self._held), self._name) for key in keys))
        pending = {(key, row[0]) for key, rows in zip(keys, lists, strict=True) for row in rows}
        return by_key(self._held.keys() & pending)


def by_key(held: Iterable[tuple[str, bytes]]) -> Mapping[str, list[bytes]]:
    """Return the ids of each stream."""
    ids = defaultdict(list)
    for key, id_ in held:
        ids[key].append(id_)
    return ids
