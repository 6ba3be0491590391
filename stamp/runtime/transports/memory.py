"""Queues in the memory of one process: for tests, and for services that live in one process."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import count
from threading import Condition
from types import MappingProxyType
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.virtual import Virtual
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.place import Contents, Held
from stamp.runtime.transports.virtual.receiver import BEAT
from stamp.runtime.transports.virtual.sender import LARGEST

__all__ = ["Memory"]

URL: Final = re.compile(r"memory:(?://)?([\w.-]{0,100})/*", re.IGNORECASE)


class Memory(Virtual):
    """The broker `memory://name` of this process, which ends with the process; the name may be empty.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        match = URL.fullmatch(url)
        if match is None:
            raise InputError("expected memory:// or memory://name, with nothing behind it")
        super().__init__(f"memory://{match[1]}")
        self._queues = BROKERS.setdefault(match[1], Queues())

    @property
    def promises(self) -> Promises:
        """What it promises. A consumer cannot die here without its broker; what comes again is what a closed one held."""
        return Promises(
            keeps=False, returns=True, redelivers=BEAT, buries=True, between_processes=False, largest=LARGEST
        )

    def _open(self) -> MemoryPlace:
        return MemoryPlace(self._queues)


class Queues:
    """Queues, how many messages were put into them, which ones are taken, and the documents of each workflow."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.by_name: dict[str, deque[Held]] = {}
        self.taken: dict[object, str] = {}
        self.puts = 0
        self.keys = count()
        self.documents: dict[str, Kept] = {}


class Kept(NamedTuple):
    """Documents that never change, and how often others took their place."""

    version: int = 0
    documents: Mapping[str, str] = MappingProxyType({})


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

    def remove(self, queue: str, *, discard: bool) -> Contents:
        """Forget a queue."""
        with self._queues.changed:
            contents = Contents(
                len(self._queues.by_name.get(queue, ())), sum(each == queue for each in self._queues.taken.values())
            )
            if contents.may_go(discard=discard):
                self._queues.by_name.pop(queue, None)
        return contents

    def put(self, entries: Sequence[tuple[str, Content]]) -> Sequence[bool]:
        """Put messages into queues, and wake who waits."""
        with self._queues.changed:
            return [self._put(queue, content) for queue, content in entries]

    def take(self, queues: Iterable[str], limit: int, room: int = PREFETCH_BYTES) -> Sequence[Held]:
        """Take messages."""
        taken: list[Held] = []
        with self._queues.changed:
            self._seen = self._queues.puts
            for queue in queues:
                waiting = self._queues.by_name.get(queue, deque())
                while waiting and len(taken) < limit and (not taken or waiting[0].content.size <= room):
                    taken.append(waiting.popleft())
                    room -= taken[-1].content.size
            self._queues.taken.update((each.key, each.queue) for each in taken)
        return taken

    def done(self, held: Iterable[Held]) -> None:
        """Forget messages: they are in no queue any more."""
        with self._queues.changed:
            for each in held:
                self._queues.taken.pop(each.key, None)

    def move(self, held: Held, queue: str, content: Content) -> bool:
        """Put `content` instead of a message that is in no queue any more."""
        self.create([queue])
        self.put([(queue, content)])
        self.done([held])
        return True

    def give_back(self, held: Iterable[Held]) -> None:
        """Put messages back to where they were, before all that came later."""
        with self._queues.changed:
            for each in reversed(list(held)):
                again = each._replace(deliveries=each.deliveries + 1, key=next(self._queues.keys))
                self._queues.by_name[each.queue].appendleft(again)
                self.done([each])
                self._announce()

    def look_after(self, held: Sequence[Held]) -> None:
        """Do nothing: nobody dies here alone."""

    def version(self, workflow: str) -> Hashable:
        """Return how often documents were kept."""
        return self._kept(workflow).version

    def documents(self, workflow: str) -> Mapping[str, str]:
        """Return the documents as they are now."""
        return self._kept(workflow).documents

    def keep(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Replace all documents at once by some of which these are."""
        with self._queues.changed:
            version, before = self._kept(workflow)
            self._queues.documents[workflow] = Kept(version + 1, MappingProxyType({**before, **documents}))

    def wait(self, timeout: float) -> None:
        """Wait until something is put that came after the last look."""
        with self._queues.changed:
            self._queues.changed.wait_for(lambda: self._queues.puts != self._seen, timeout)

    def close(self) -> None:
        """Do nothing: it is memory."""

    def _kept(self, workflow: str) -> Kept:
        return self._queues.documents.get(workflow, Kept())

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
