"""Streams of dead letters, looked into: they are read where they are, and nobody is kept from doing the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Final, Self

from stamp.runtime.graveyard import Dead, Wanted
from stamp.runtime.transports.letters import dead, exhumed
from stamp.runtime.transports.redis import scripts
from stamp.runtime.transports.redis.entry import Entry
from stamp.runtime.transports.redis.line import Line

__all__ = ["RedisGraveyard"]

PAGE: Final = 100
"""How many letters are read at once."""


class RedisGraveyard:
    """The dead letters of `queues`; `key` tells the stream of a queue."""

    def __init__(self, line: Line, address: str, queues: Sequence[str], key: Callable[[str], str]) -> None:
        self.address = address
        self._line = line
        self._key = key
        self._queues = list(dict.fromkeys(queues))
        there = line.ask(*(("EXISTS", key(queue)) for queue in self._queues))
        self.missing = [queue for queue, is_there in zip(self._queues, there, strict=True) if not is_there]

    def find(self, wanted: Wanted) -> Iterator[Dead]:
        """Read dead letters, those of one queue after those of another; what dies after this began is left out."""
        for queue in filter(wanted.takes_queue, self._queues):
            key = dead(self._key(queue))
            (newest,) = self._line.ask(("XREVRANGE", key, "+", "-", "COUNT", 1))
            after = "-"
            while newest and (page := self._line.ask(("XRANGE", key, after, newest[0][0], "COUNT", PAGE))[0]):
                entries = [Entry.read(key, each) for each in page]
                found = (exhumed(each.arrival(queue), queue, each) for each in entries)
                yield from filter(wanted.takes, found)
                after = f"({entries[-1].id.decode()}"

    def replay(self, dead: Sequence[Dead]) -> int:
        """Move letters to their queues."""
        replays = (
            ("EVAL", scripts.REPLAY, 2, each.tag.key, self._key(each.queue), each.tag.id, *each.tag.revived())
            for each in dead
        )
        return sum(self._line.ask(*replays))

    def discard(self, dead: Sequence[Dead]) -> int:
        """Delete letters."""
        return sum(self._line.ask(*(("XDEL", each.tag.key, each.tag.id) for each in dead)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
