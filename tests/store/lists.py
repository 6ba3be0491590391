"""An inbox and an outbox as lists in memory: slow, and simple enough to be right."""

from __future__ import annotations

from dataclasses import dataclass, field

from stamp.store.backlog import Backlog, Unsent
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.work import Work

LETTER = Letter("no-envelope", "WireError", "expected an envelope")


@dataclass
class Row:
    """What the inbox knows of a message."""

    consumer: str
    message: Message
    arrived_at: int
    state: str = "waiting"
    attempts: int = 0
    failures: int = 0
    fence: int = 0
    not_before: int = 0
    lease_until: int = 0
    ended_at: int = 0
    error: str = ""


@dataclass
class Taken:
    """Work as a store gave it, and its row."""

    work: Work
    row: Row

    @property
    def is_held(self) -> bool:
        return self.row.state == "waiting" and self.row.fence == self.work.fence and self.row.lease_until > 0


@dataclass
class Lists:
    """Rows are in the order of their arrival; the outbox has created_at, resend_at and sends by event id and consumer."""

    rows: list[Row] = field(default_factory=list)
    outbox: dict[tuple[bytes, str], list[int]] = field(default_factory=dict)

    def find(self, consumer: str, message: Message) -> Row | None:
        return next((each for each in self.rows if (each.consumer, each.message) == (consumer, message)), None)

    def put(self, consumer: str, message: Message, now: int) -> bool:
        if self.find(consumer, message):
            return False
        self.rows.append(Row(consumer, message, now))
        return True

    def due(self, consumers: list[str], now: int) -> list[Row]:
        return [each for each in self.rows if each.consumer in consumers and self.is_due(each, now)]

    def is_due(self, row: Row, now: int) -> bool:
        return (
            row.state == "waiting"
            and row.not_before <= now
            and row.lease_until <= now
            and self.first_of_run(row) is row
        )

    def first_of_run(self, row: Row) -> Row:
        run = row.message.workflow_id
        if not run:
            return row
        same = (each for each in self.rows if each.consumer == row.consumer and each.message.workflow_id == run)
        return next(each for each in same if each.state == "waiting")

    def take(self, row: Row, until: int) -> tuple[object, ...]:
        """Take it, and return the work that a store gives for it, but for its number."""
        row.attempts += 1
        row.fence += 1
        row.lease_until = until
        return row.fence, row.consumer, row.message, row.attempts, row.arrived_at, row.failures

    def end(self, row: Row, state: str, now: int) -> None:
        row.state, row.ended_at, row.lease_until = state, now, 0

    def postpone(self, row: Row, until: int) -> None:
        row.failures += 1
        row.not_before, row.lease_until, row.error = until, 0, ""

    def back_off(self, row: Row, until: int, error: str) -> None:
        row.attempts -= 1
        row.not_before, row.lease_until, row.error = until, 0, error

    def wake(self, consumers: list[str], error: str, now: int) -> int:
        wanted = (each for each in self.rows if each.consumer in consumers and each.error == error)
        resting = [each for each in wanted if each.state == "waiting" and each.not_before > now]
        for each in resting:
            each.not_before = now
        return len(resting)

    def release(self, row: Row) -> None:
        row.attempts -= 1
        row.lease_until = 0

    def replay(self, row: Row, now: int) -> None:
        row.state, row.attempts, row.failures, row.not_before = "waiting", 0, 0, now
        row.error = ""

    def dead(self) -> list[tuple[object, ...]]:
        dead = sorted((each for each in self.rows if each.state == "dead"), key=lambda each: each.ended_at)
        return [(each.message, each.consumer, LETTER, each.attempts, each.arrived_at, each.ended_at) for each in dead]

    def prune(self, before: int) -> int:
        old = [each for each in self.rows if each.state == "done" and each.ended_at < before]
        self.rows = [each for each in self.rows if each not in old]
        return len(old)

    def backlog(self) -> dict[str, Backlog]:
        counted = {consumer: self.backlog_of(consumer) for consumer in {each.consumer for each in self.rows}}
        return {consumer: each for consumer, each in counted.items() if any(each[:3])}

    def backlog_of(self, consumer: str) -> Backlog:
        rows = [each for each in self.rows if each.consumer == consumer]
        waiting = [each for each in rows if each.state == "waiting"]
        at_work = sum(each.lease_until > 0 for each in waiting)
        dead = sum(each.state == "dead" for each in rows)
        return Backlog(len(waiting) - at_work, at_work, dead, min((each.arrived_at for each in waiting), default=None))

    def receive_receipts(self) -> int:
        received = {(each.message.event_id, each.consumer) for each in self.rows} & set(self.outbox)
        for each in received:
            del self.outbox[each]
        return len(received)

    def unsent(self) -> Unsent:
        created, _, sends = zip(*self.outbox.values(), strict=True) if self.outbox else ((None,), (), (0,))
        return Unsent(len(self.outbox), min(created), max(sends))
