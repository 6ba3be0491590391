"""The work of all steps, in memory: it is taken, put off and given up by the rules of a store's inbox."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

from stamp.store.message import Message

__all__ = ["Inbox", "Key", "Work"]

Key: TypeAlias = tuple[str, bytes]
"""A step, and the id of an event that it listens to."""


@dataclass(slots=True, eq=False)
class Work:
    """An event that a step has to answer. Times are in microseconds since 1970 UTC.

    `attempts` were begun, `failures` of them raised, and nothing more is tried before `not_before`, because of `error`.
    """

    number: int
    step: str
    message: Message
    arrived_at: int
    attempts: int = 0
    failures: int = 0
    not_before: int = 0
    error: str = ""

    @property
    def key(self) -> Key:
        """What repeats are known by."""
        return self.step, self.message.event_id


class Inbox:
    """Each event is there once for each step. Of a step's events of one run only the first unfinished one is due.

    The heap has the first one of each run, and entries that are out of date: those whose time is not that of their work any more.
    """

    def __init__(self) -> None:
        self._known: dict[Key, Work] = {}
        self._runs: defaultdict[tuple[str, str], list[Work]] = defaultdict(list)
        self._due: list[tuple[int, int, Work]] = []

    def put(self, step: str, message: Message, *, now: int) -> bool:
        """Put an event in, and tell whether it is new."""
        work = Work(len(self._known), step, message, now)
        if self._known.setdefault(work.key, work) is not work:
            return False
        self._add(work)
        return True

    def take(self, *, now: int) -> Work | None:
        """Begin another attempt at the work that is due first, if any is; it stays due until it is settled."""
        work = self._first()
        if work is None or work.not_before > now:
            return None
        work.attempts += 1
        return work

    @property
    def due_at(self) -> int | None:
        """When something is due next; None if nothing is unfinished."""
        work = self._first()
        return None if work is None else work.not_before

    def complete(self, work: Work) -> None:
        """Note that a work is done, or given up."""
        works = self._run_of(work)
        works.remove(work)
        if works:
            self._push(works[0])

    def put_off(self, work: Work, *, until: int, error: str) -> None:
        """Try a work again at `until`, and nothing of its run before."""
        work.not_before, work.error = until, error
        self._push(work)

    def replay(self, key: Key, *, now: int) -> None:
        """Have a work that was given up done again, with all attempts, where it stood in its run."""
        work = self._known[key]
        work.attempts, work.failures, work.not_before, work.error = 0, 0, now, ""
        self._add(work)

    def unfinished(self) -> Iterator[tuple[Work, bool]]:
        """Yield all that is unfinished, and whether an earlier event of its run has to be finished before."""
        for works in self._runs.values():
            for place, work in enumerate(works):
                yield work, place > 0

    def _add(self, work: Work) -> None:
        works = self._run_of(work)
        insort(works, work, key=lambda each: each.number)
        if works[0] is work:
            self._push(work)

    def _push(self, work: Work) -> None:
        heappush(self._due, (work.not_before, work.number, work))

    def _first(self) -> Work | None:
        while self._due:
            time, _, work = self._due[0]
            if time == work.not_before and self._run_of(work)[:1] == [work]:
                return work
            heappop(self._due)
        return None

    def _run_of(self, work: Work) -> list[Work]:
        return self._runs[work.step, work.message.workflow_id]
