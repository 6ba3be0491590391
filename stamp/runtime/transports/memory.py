"""Queues in the memory of one process: for tests, and for services that live in one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count
from threading import Condition
from typing import Final
from urllib.parse import urlsplit

from stamp.errors import InputError
from stamp.runtime.transport import Promises
from stamp.runtime.transports.virtual import Virtual
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.place import Held
from stamp.runtime.transports.virtual.receiver import BEAT
from stamp.runtime.transports.virtual.sender import LARGEST

__all__ = ["Memory"]


class Memory(Virtual):
    """The broker `memory://name` of this process, which ends with the process; the name may be empty.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if any((parts.path.strip("/"), parts.query, parts.fragment)):
            raise InputError("expected memory:// or memory://name, with nothing behind it")
        super().__init__(f"memory://{parts.netloc}")
        self._queues = BROKERS.setdefault(parts.netloc, Queues())

    @property
    def promises(self) -> Promises:
        """What it promises. A consumer cannot die here without its broker; what comes again is what a closed one held."""
        return Promises(
            keeps=False, returns=True, redelivers=BEAT, buries=True, between_processes=False, largest=LARGEST
        )

    def _open(self) -> MemoryPlace:
        return MemoryPlace(self._queues)


class Queues:
    """Queues, and how many messages were put into them."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.by_name: dict[str, deque[Held]] = {}
        self.puts = 0
        self.keys = count()


BROKERS: Final[dict[str, Queues]] = {}
"""The brokers of this process by their names, which is what the memory of a process is for."""


class MemoryPlace:
    """One user's way to `queues`."""

    failures: tuple[type[Exception], ...] = ()
    beat = BEAT

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._seen = -1

    def create(self, queues: Iterable[str]) -> None:
        """Create queues."""
        with self._queues.changed:
            for queue in queues:
                self._queues.by_name.setdefault(queue, deque())

    def there(self, queues: Iterable[str]) -> set[str]:
        """Return the queues that there are."""
        return self._queues.by_name.keys() & set(queues)

    def put(self, entries: Sequence[tuple[str, Content]]) -> Sequence[bool]:
        """Put messages into queues, and wake who waits."""
        with self._queues.changed:
            return [self._put(queue, content) for queue, content in entries]

    def take(self, queues: Iterable[str], limit: int) -> Sequence[Held]:
        """Take messages."""
        taken: list[Held] = []
        with self._queues.changed:
            self._seen = self._queues.puts
            for queue in queues:
                waiting = self._queues.by_name.setdefault(queue, deque())
                taken += [waiting.popleft() for _ in range(min(len(waiting), limit - len(taken)))]
        return taken

    def done(self, held: Iterable[Held]) -> None:
        """Forget messages: they are in no queue any more."""

    def move(self, held: Held, queue: str, content: Content) -> bool:
        """Put `content` instead of a message that is in no queue any more."""
        self.create([queue])
        self.put([(queue, content)])
        return True

    def give_back(self, held: Iterable[Held]) -> None:
        """Put messages back to where they were, before all that came later."""
        with self._queues.changed:
            for each in reversed(list(held)):
                again = each._replace(deliveries=each.deliveries + 1, key=next(self._queues.keys))
                self._queues.by_name[each.queue].appendleft(again)
                self._announce()

    def look_after(self, held: Sequence[Held]) -> None:
        """Do nothing: nobody dies here alone."""

    def wait(self, timeout: float) -> None:
        """Wait until something is put that came after the last look."""
        with self._queues.changed:
            self._queues.changed.wait_for(lambda: self._queues.puts != self._seen, timeout)

    def close(self) -> None:
        """Do nothing: it is memory."""

    def _put(self, queue: str, content: Content) -> bool:
        waiting = self._queues.by_name.get(queue)
        if waiting is None:
            return False
        waiting.append(Held(queue, content, 1, next(self._queues.keys)))
        self._announce()
        return True

    def _announce(self) -> None:
        self._queues.puts += 1
        self._queues.changed.notify_all()
