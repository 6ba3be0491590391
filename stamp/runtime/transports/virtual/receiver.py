"""Takes messages out of queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
from stamp.runtime.transports.letters import dead, marked
from stamp.runtime.transports.virtual.access import Access
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.place import Held, Place

__all__ = ["BEAT", "VirtualReceiver", "arrival"]

BEAT: Final = 1.0
"""How often, at least, to look for what the dead held, in seconds."""


class VirtualReceiver:
    """Takes messages out of `queues`, which take turns at being the first."""

    def __init__(
        self, access: Access, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> None:
        self._access = access
        self._queues = deque(queues)
        self._prefetch, self._prefetch_bytes = prefetch, prefetch_bytes
        self._held: dict[object, Held] = {}
        self._sizes: dict[object, int] = {}
        self._beats_at = monotonic()

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return what there is, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the place failed, or a queue was removed.
        """
        deadline = monotonic() + timeout
        with self._access.use() as place:
            while True:
                self._look_after(place)
                arrivals = self._take(place)
                now = monotonic()
                if arrivals or now >= deadline:
                    return arrivals
                place.wait(max(0.0, min(deadline, self._beats_at) - now))

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Remove messages for good; what is not held, because it was acknowledged before, is passed over.

        Raises:
            DeliveryError: the place failed.
        """
        held = self._select(arrivals)
        with self._access.use() as place:
            place.done(held)
        for each in held:
            self._forget(each)

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Move a message to the dead letter queue, with a header `stamp-reason`.

        Raises:
            DeliveryError: the place failed.
        """
        for each in self._select([arrival]):
            headers = marked(arrival.headers, reason)
            content = Content(each.content.body, headers, arrival.content_type, arrival.content_encoding)
            with self._access.use() as place:
                place.move(each, dead(each.queue), content)
            self._forget(each)

    def close(self) -> None:
        """Give back what is held, and let go of the place."""
        with (
            suppress(DeliveryError),
            self._access.use() as place,
        ):  # what cannot be given back counts as a dead consumer's
            place.give_back(self._held.values())
        self._held.clear()
        self._sizes.clear()
        self._access.close()

    def _take(self, place: Place) -> Sequence[Arrival]:
        room = self._prefetch - len(self._held)
        space = self._prefetch_bytes - sum(self._sizes.values())
        held = place.take(self._queues, room, space) if room > 0 and space > 0 else ()
        self._queues.rotate(-1)
        # The others are here already: they were not renewed in time, and nobody else got them.
        new = [each for each in held if each.key not in self._held]
        self._held.update((each.key, each) for each in held)
        self._sizes.update((each.key, each.content.size) for each in held)
        return [arrival(each) for each in new]

    def _look_after(self, place: Place) -> None:
        now = monotonic()
        if now >= self._beats_at:
            self._beats_at = now + place.beat
            place.look_after(list(self._held.values()))
            self._must_be_there(place)

    def _must_be_there(self, place: Place) -> None:
        """Look whether the queues are still there: at one that was removed we would wait for ever."""
        missing = set(self._queues) - place.there(self._queues)
        if missing:
            raise DeliveryError(f"queue {', '.join(sorted(missing))} was removed; connect again, which declares it")

    def _forget(self, held: Held) -> None:
        del self._held[held.key], self._sizes[held.key]

    def _select(self, arrivals: Sequence[Arrival]) -> Sequence[Held]:
        """Return what is held of `arrivals`, each once."""
        return [self._held[key] for key in dict.fromkeys(each.tag for each in arrivals) if key in self._held]


def arrival(held: Held) -> Arrival:
    """Return a message that was taken as one that arrived."""
    body, headers, content_type, content_encoding, unreadable = held.content
    return Arrival(
        queue=held.queue,
        body=body,
        headers=headers,
        content_type=content_type,
        content_encoding=content_encoding,
        unreadable=unreadable,
        deliveries=held.deliveries,
        tag=held.key,
    )
