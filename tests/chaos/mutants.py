"""Workers with one law taken out of them: if the ledger did not notice, it would prove nothing.

They are made in the processes of this test alone, of what store and runtime offer. Where a mutant has two forms, the second is the same
mistake for workers that share a database and have no broker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, or_, update

from stamp.runtime.intake import Intake, Received
from stamp.store import inbox, outbox, starts
from stamp.store.message import Message
from stamp.store.tables import INBOX
from stamp.store.work import Work

__all__ = ["MUTANTS"]

AT_WORK, DONE = 0, 2
FOREVER: Final = 10**15


def inbox_off(*, broker: bool) -> None:
    """A repeat is new work: what was done is forgotten when it comes again, and so is with what runs have begun."""
    put = inbox.put

    def put_again(tx: Connection, entries: Sequence[tuple[str, Message]], **options: Any) -> int:
        keys = (
            and_(INBOX.c.consumer == consumer, INBOX.c.event_id == message.event_id) for consumer, message in entries
        )
        tx.execute(delete(INBOX).where(INBOX.c.state == DONE, or_(*keys)))
        return put(tx, entries, **options)

    inbox.put = put_again
    starts.put = lambda *_, **__: {}


def ack_first(*, broker: bool) -> None:
    """A message is acknowledged before it is in the inbox; without a broker, work counts as done when it is taken."""
    if broker:
        _acknowledge_at_once()
    else:
        _done_when_taken()


def redrive_off(*, broker: bool) -> None:
    """Nothing is sent again; without a broker, what a dead worker left is not taken up again."""
    if broker:
        outbox.due = lambda *_, **__: []
    else:
        take = inbox.take
        inbox.take = lambda tx, consumers, **options: take(tx, consumers, **{**options, "lease": FOREVER})
        inbox.extend = lambda *_, **__: None


MUTANTS: Final[Mapping[str, Callable[..., None]]] = {
    "inbox-off": inbox_off,
    "ack-first": ack_first,
    "redrive-off": redrive_off,
}


def _acknowledge_at_once() -> None:
    collect = Intake.collect

    def settle_at_once(self: Intake, limit: int) -> Sequence[Received]:
        received = collect(self, limit)
        self.settle(received)
        return received

    Intake.collect = settle_at_once


def _done_when_taken() -> None:
    """Have others see as done what is at work; whoever records something of it sees that it is not."""
    take = inbox.take

    def take_and_finish(tx: Connection, consumers: Sequence[str], **options: Any) -> Sequence[Work]:
        works = take(tx, consumers, **options)
        _say(tx, works, DONE)
        return works

    inbox.take = take_and_finish
    inbox.extend = lambda *_, **__: None
    for name in ("complete", "release"):
        _first(name, lambda works: works)
    for name in ("postpone", "park"):
        _first(name, lambda work: [work])


def _first(name: str, works: Callable[[Any], Sequence[Work]]) -> None:
    """Have an operation of the inbox find its works at work."""
    operation = getattr(inbox, name)

    def work_again(tx: Connection, given: Any, *arguments: Any, **options: Any) -> Any:
        _say(tx, works(given), AT_WORK)
        return operation(tx, given, *arguments, **options)

    setattr(inbox, name, work_again)


def _say(tx: Connection, works: Sequence[Work], state: int) -> None:
    tx.execute(update(INBOX).where(INBOX.c.number.in_([each.number for each in works])).values(state=state))
