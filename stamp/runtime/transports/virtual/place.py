"""Where queues are that need no server of their own: the few things that memory, a folder and a database each do in their way."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from stamp.runtime.transport import PREFETCH_BYTES
from stamp.runtime.transports.virtual.content import Content

__all__ = ["Contents", "Held", "Place"]


class Held(NamedTuple):
    """A message that was taken. `key` is the place's own name for it, the same one if we take it again while we have it: it was not renewed in time."""

    queue: str
    content: Content
    deliveries: int
    key: Any


class Contents(NamedTuple):
    """How many messages of a queue wait, and how many somebody has who lives."""

    waiting: int = 0
    held: int = 0

    def may_go(self, *, discard: bool) -> bool:
        """Tell whether the queue may be removed with them."""
        return not self.held and (discard or not self.waiting)


class Place(Protocol):
    """One user's way to the queues; used by one thread at a time."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What may be raised when the place cannot be used."""

    @property
    def beat(self) -> float:
        """How often to call `look_after`, in seconds."""

    def create(self, queues: Iterable[str]) -> None:
        """Create those of `queues` that are not there."""

    def there(self, queues: Iterable[str]) -> set[str]:
        """Return those of `queues` that there are."""

    def remove(self, queue: str, *, discard: bool) -> Contents:
        """Remove a queue, if it is there and its contents may go, and return what they are. Nothing is put into it meanwhile."""

    def put(self, entries: Sequence[tuple[str, Content]]) -> Sequence[bool]:
        """Put messages into queues, for good, and tell for each whether there is such a queue."""

    def take(self, queues: Iterable[str], limit: int, room: int = PREFETCH_BYTES) -> Sequence[Held]:
        """Take at most `limit` messages, from the first queue first, in the order in which they were put. Nobody else gets them meanwhile.

        None is taken when those before have `room` bytes or more, and none but the first that goes beyond.
        """

    def done(self, held: Iterable[Held]) -> None:
        """Remove messages for good."""

    def move(self, held: Held, queue: str, content: Content) -> bool:
        """Put `content` into `queue`, which is created if need be, instead of a message; False if that is not ours any more."""

    def give_back(self, held: Iterable[Held]) -> None:
        """Let others take messages."""

    def look_after(self, held: Sequence[Held]) -> None:
        """Say that we are at work on `held`, and give back what the dead held."""

    def version(self, workflow: str) -> Hashable:
        """Return a value that was never returned before the last change of the documents of `workflow`."""

    def documents(self, workflow: str) -> Mapping[str, str]:
        """Return all documents of `workflow` by their keys."""

    def keep(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Keep documents for good, each in place of the earlier one of its key."""

    def wait(self, timeout: float) -> None:
        """Wait until a message may have been put, but not longer than `timeout` seconds."""

    def close(self) -> None:
        """Let go of everything."""
