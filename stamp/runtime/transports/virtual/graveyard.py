"""Dead letter queues, looked into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from stamp.errors import DeliveryError
from stamp.runtime.graveyard import Dead, Wanted
from stamp.runtime.transport import PREFETCH_BYTES
from stamp.runtime.transports.letters import dead, exhumed, unmarked
from stamp.runtime.transports.virtual.access import Access
from stamp.runtime.transports.virtual.place import Held
from stamp.runtime.transports.virtual.receiver import arrival

__all__ = ["VirtualGraveyard"]

PAGE: Final = 100
"""How many letters are taken at once."""


class VirtualGraveyard:
    """The dead letter queues of `queues`. Who looks at letters has them, so each is found once; what is left is given back at the end."""

    def __init__(self, access: Access, address: str, queues: Sequence[str]) -> None:
        self.address = address
        self._access = access
        with access.use() as place:
            there = place.there(queues)
        self._queues = [queue for queue in dict.fromkeys(queues) if queue in there]
        self.missing = [queue for queue in dict.fromkeys(queues) if queue not in there]
        self._held: dict[object, Held] = {}
        self._replayed: set[tuple[str, bytes]] = set()

    def find(self, wanted: Wanted) -> Iterator[Dead]:
        """Read dead letters, those of one queue after those of another."""
        for queue in filter(wanted.takes_queue, self._queues):
            while page := self._take(dead(queue)):
                found = [exhumed(arrival(each), queue, each) for each in page]
                yield from (each for each in found if wanted.takes(each) and _name(each) not in self._replayed)

    def replay(self, dead: Sequence[Dead]) -> int:
        """Move letters to their queues."""
        moved = 0
        for letter, held in self._release(dead):
            alive = held.content._replace(headers=unmarked(held.content.headers))
            self._replayed.add(_name(letter))
            with self._access.use() as place:
                moved += place.move(held, letter.queue, alive)
        return moved

    def discard(self, dead: Sequence[Dead]) -> int:
        """Remove letters."""
        released = [held for _, held in self._release(dead)]
        with self._access.use() as place:
            place.done(released)
        return len(released)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with (
            suppress(DeliveryError),
            self._access.use() as place,
        ):  # what cannot be given back counts as a dead person's
            place.give_back(self._held.values())
        self._access.close()

    def _release(self, dead: Sequence[Dead]) -> list[tuple[Dead, Held]]:
        """Return those of `dead` that we still have, and do not give them back any more."""
        released = [(each, self._held.pop(each.tag.key, None)) for each in dead]
        return [(letter, held) for letter, held in released if held is not None]

    def _take(self, queue: str) -> Sequence[Held]:
        with self._access.use() as place:
            place.look_after(list(self._held.values()))
            held = place.take([queue], PAGE, PREFETCH_BYTES) if place.there([queue]) else ()
        self._held.update((each.key, each) for each in held)
        return held


def _name(letter: Dead) -> tuple[str, bytes]:
    return letter.queue, letter.message.event_id
