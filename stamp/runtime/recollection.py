"""What a process without a store remembers of works: which are done, how often which have failed, and with what runs began."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Final, TypeAlias

__all__ = ["Key", "Recollection"]

Key: TypeAlias = tuple[str, bytes]
"""A queue, and the id of an event in it."""

REMEMBERED: Final = 100_000
"""How many works are known, how many failures, and how many beginnings of runs: those of long ago make room."""


class Recollection:
    """Shared by all performers of a worker: a message that comes again may come to another one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._done: OrderedDict[Key, bytes] = OrderedDict()
        self._failures: Counter[Key] = Counter()
        self._asked: dict[Key, float] = {}
        self._begun: OrderedDict[bytes, bytes] = OrderedDict()

    def begun(self, contents: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
        """Note with what runs begin, by their keys, and return the same of those that began here before."""
        with self._lock:
            known = {run: self._begun[run] for run in contents if run in self._begun}
            self._begun |= {run: content for run, content in contents.items() if run not in known}
            while len(self._begun) > REMEMBERED:
                self._begun.popitem(last=False)
            return known

    def is_done(self, key: Key) -> bool:
        """Tell whether a work was done here."""
        return key in self._done

    def is_of_another(self, key: Key, said: bytes) -> bool:
        """Tell whether a work was done here whose event had this key and said something else, given as a digest."""
        return self._done.get(key, said) != said

    def failures(self, key: Key) -> int:
        """Return how often a work has failed here."""
        return self._failures[key]

    def failed(self, key: Key) -> int:
        """Note a failure, and return how many there are."""
        with self._lock:
            self._failures[key] += 1
            failures = self._failures[key]
            if len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]
            return failures

    def asked(self, key: Key, now: float) -> float:
        """Note that a work lacks a schema at `now`, and return when that was so for the first time; in seconds of any clock."""
        with self._lock:
            first = self._asked.setdefault(key, now)
            if len(self._asked) > REMEMBERED:
                del self._asked[next(iter(self._asked))]
            return first

    def done(self, key: Key, said: bytes = b"") -> None:
        """Note that a work is done, and what its event said, as a digest."""
        with self._lock:
            self._failures.pop(key, None)
            self._asked.pop(key, None)
            self._done[key] = said
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Know nothing of a work any more: somebody may have it done again."""
        with self._lock:
            self._failures.pop(key, None)
            self._asked.pop(key, None)
