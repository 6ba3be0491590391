"""Dead letters, wherever they lie: to look at, to have worked on again, to give up.

Workers with a store bury in the store, workers without one in the dead letter queues of their broker, and RabbitMQ itself there, too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

from sqlalchemy import Connection

from stamp.runtime.revival import event_of, judge
from stamp.store import dead_letters
from stamp.store.dead_letters import DeadLetter
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.store import Store

__all__ = ["Dead", "Graveyard", "HasGraveyard", "StoreGraveyard", "Wanted"]


class Dead(NamedTuple):
    """A message that nobody works on any more, and why.

    `attempts` were made, it had arrived at `first_at` and died at `last_at`, in microseconds since 1970 UTC; None where its
    place does not know. `tag` is the place's own, and holds nothing large.
    """

    queue: str
    message: Message
    letter: Letter
    attempts: int | None = None
    first_at: int | None = None
    last_at: int | None = None
    tag: Any = None

    def without_body(self) -> Dead:
        """Return a letter that can be kept in memory with many others; it can be discarded, and cannot be replayed."""
        return self._replace(message=self.message._replace(body=b""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters: all, or only those of some queues (or steps, by their names), of a reason, of a run; those with some ids.

    `ids` are the first digits of event ids, in hexadecimal.
    """

    queues: tuple[str, ...] = ()
    reason: str | None = None
    workflow_id: str | None = None
    ids: tuple[str, ...] = ()

    def takes(self, dead: Dead) -> bool:
        """Tell whether this is one of them."""
        return (
            (not self.ids or dead.message.event_id.hex().startswith(self.ids))
            and self.takes_queue(dead.queue)
            and self.reason in {None, dead.letter.reason}
            and self.workflow_id in {None, dead.message.workflow_id}
        )

    def takes_queue(self, queue: str) -> bool:
        """Tell whether those of `queue` are wanted."""
        return not self.queues or not {queue, queue.partition(".")[2]}.isdisjoint(self.queues)


class Graveyard(Protocol):
    """A place with dead letters, opened for one person; a context manager."""

    @property
    def address(self) -> str:
        """Where it is, without a password: for messages."""

    @property
    def missing(self) -> Sequence[str]:
        """Queues that it was opened for, and that have no dead letter queue there."""

    def find(self, wanted: Wanted) -> Generator[Dead, None, None]:
        """Read dead letters as they are asked for, and leave them there: those that died first first, where a place knows that.

        May be called once. What is replayed meanwhile, and dies again, does not come again.

        Raises:
            DeliveryError: or StoreError: the place cannot be used.
        """

    def replay(self, dead: Sequence[Dead]) -> int:
        """Have letters that were found worked on again, with all attempts, and return how many were still dead.

        Raises:
            DeliveryError: or StoreError: the place failed. Those that it did not get to are still dead; replaying one twice is harmless.
        """

    def discard(self, dead: Sequence[Dead]) -> int:
        """Give letters up, and return how many were still dead.

        Raises:
            DeliveryError: or StoreError: as for `replay`.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class HasGraveyard(Protocol):
    """A transport whose dead letter queues can be looked into."""

    def graveyard(self, queues: Sequence[str]) -> Graveyard:
        """Open the dead letter queues of `queues`; brokers do not tell which queues they have.

        Raises:
            DeliveryError: nobody answers there, or refuses us.
        """


class StoreGraveyard:
    """The dead letters of a store, which is closed at the end; `clock` gives microseconds since 1970 UTC."""

    missing: Sequence[str] = ()

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock
        self.address = store.url

    def find(self, wanted: Wanted) -> Generator[Dead, None, None]:
        """Read dead letters."""
        with self._store.read() as connection:
            for each in dead_letters.find(
                connection, reason=wanted.reason, workflow_id=wanted.workflow_id, prefixes=wanted.ids
            ):
                dead = _dead(each)
                if wanted.takes(dead):
                    yield dead

    def replay(self, dead: Sequence[Dead]) -> int:
        """Put messages back among those that wait, where they stood; what was refused by its outside is judged again, by the event in its body."""
        with self._store.begin() as tx:
            return sum(self._replay(tx, each) for each in dead)

    def _replay(self, tx: Connection, dead: Dead) -> bool:
        event = event_of(dead.letter, dead.message)
        if event is None:
            return dead_letters.replay(tx, dead.tag, self._clock())
        is_ours = dead_letters.remove(tx, dead.tag)
        if is_ours:
            judge(tx, dead.queue, event, now=self._clock())
        return is_ours

    def discard(self, dead: Sequence[Dead]) -> int:
        """Note that messages are done with."""
        with self._store.begin() as tx:
            return sum(dead_letters.discard(tx, each.tag, self._clock()) for each in dead)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()


def _dead(each: DeadLetter) -> Dead:
    tag = each._replace(message=each.message._replace(body=b""))
    return Dead(each.consumer, each.message, each.letter, each.attempts, each.first_at, each.last_at, tag)
