"""Queues in a database."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Select,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from stamp.errors import StoreError
from stamp.runtime.transport import PREFETCH_BYTES
from stamp.runtime.transports.sql import documents
from stamp.runtime.transports.sql.tables import MESSAGES, METADATA, QUEUES
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.place import Contents, Held
from stamp.runtime.transports.virtual.receiver import BEAT

__all__ = ["LONGEST_LEASE", "TablePlace"]

LONGEST_LEASE: Final = 86_400.0
"""Seconds without a sign of life after which any consumer counts as dead."""

PAUSE: Final = 0.02
"""How long to wait between two looks into the tables, in seconds."""

LOCK: Final = int.from_bytes(b"stamp-mq")
"""What processes that create tables and queues at once wait for on PostgreSQL; any number that nobody else uses."""

NUMBER, DELIVERIES, HELD_UNTIL = MESSAGES.c.number, MESSAGES.c.deliveries, MESSAGES.c.held_until

READ: Final = (
    NUMBER,
    MESSAGES.c.queue,
    cast(MESSAGES.c.content, LargeBinary).label("content"),
    cast(DELIVERIES, Integer).label("deliveries"),
)
"""What is read of a message. SQLite keeps what somebody has put there, of whatever type; a client library that cannot read it would raise for all."""


class TablePlace:
    """One user's way to the queues in a database; what was not looked after for `lease` seconds is there for others."""

    failures: tuple[type[Exception], ...] = (SQLAlchemyError, StoreError)

    def __init__(self, engine: Engine, lease: float) -> None:
        self._engine = engine
        self._readers = engine.execution_options(stamp_reads=True, postgresql_readonly=True)
        self._lease = lease
        self.beat = min(BEAT, lease / 4)

    def create(self, queues: Iterable[str]) -> None:
        """Create the tables, and note the queues."""
        names = set(queues)
        with self._engine.begin() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
            METADATA.create_all(tx)
            new = names - _known(tx, names)
            if new:
                tx.execute(QUEUES.insert(), [{"name": name} for name in sorted(new)])

    def there(self, queues: Iterable[str]) -> set[str]:
        """Return the queues that were noted."""
        with self._readers.connect() as connection:
            return _known(connection, queues)

    def remove(self, queue: str, *, discard: bool) -> Contents:
        """Delete a queue, after all transactions that have seen it: none of them puts a message into a queue that is not there."""
        with self._engine.begin() as tx:
            if tx.dialect.name == "postgresql":  # SQLite has one writer at a time
                tx.execute(text(f"LOCK TABLE {QUEUES.name} IN ACCESS EXCLUSIVE MODE"))
            contents = self._contents(tx, queue)
            if contents.may_go(discard=discard):
                tx.execute(MESSAGES.delete().where(MESSAGES.c.queue == queue))
                tx.execute(QUEUES.delete().where(QUEUES.c.name == queue))
        return contents

    def put(self, entries: Sequence[tuple[str, Content]]) -> Sequence[bool]:
        """Put messages into queues, in one transaction."""
        with self._engine.begin() as tx:
            known = _known(tx, {queue for queue, _ in entries})
            rows = [{"queue": queue, "content": content.packed()} for queue, content in entries if queue in known]
            if rows:
                tx.execute(MESSAGES.insert(), rows)
        return [queue in known for queue, _ in entries]

    def take(self, queues: Iterable[str], limit: int, room: int = PREFETCH_BYTES) -> Sequence[Held]:
        """Take messages by saying until when they are ours; look first whether there are any, which locks nothing."""
        names = list(queues)
        taken: list[Held] = []
        with self._readers.connect() as connection:
            there = set(connection.scalars(self._queues_with_work(names)))
        if there:
            with self._engine.begin() as tx:
                for queue in filter(there.__contains__, names):
                    found, room = self._take(tx, queue, limit - len(taken), room, is_first=not taken)
                    taken += found
        return taken

    def done(self, held: Iterable[Held]) -> None:
        """Delete messages; whoever may have been given them meanwhile has them in vain."""
        numbers = [(each.key, each.queue) for each in held]
        if numbers:
            with self._engine.begin() as tx:
                tx.execute(MESSAGES.delete().where(tuple_(NUMBER, MESSAGES.c.queue).in_(numbers)))

    def move(self, held: Held, queue: str, content: Content) -> bool:
        """Delete a message and put `content` into `queue`, in one transaction, unless somebody else was given it."""
        if not self.there([queue]):
            self.create([queue])
        with self._engine.begin() as tx:
            is_ours = tx.execute(MESSAGES.delete().where(_is_one_of([held]))).rowcount == 1
            if is_ours:
                tx.execute(MESSAGES.insert(), {"queue": queue, "content": content.packed()})
        return is_ours

    def give_back(self, held: Iterable[Held]) -> None:
        """End the leases of messages."""
        self._hold(held, literal(0.0))

    def look_after(self, held: Sequence[Held]) -> None:
        """Renew the leases of messages. What the dead held is free when their leases end."""
        self._hold(held, self._now() + self._lease)

    def version(self, workflow: str) -> Hashable:
        """Read the version of the documents."""
        with self._readers.connect() as connection:
            return documents.version(connection, workflow)

    def documents(self, workflow: str) -> Mapping[str, str]:
        """Read the documents."""
        with self._readers.connect() as connection:
            return documents.read(connection, workflow)

    def keep(self, workflow: str, kept: Mapping[str, str]) -> None:
        """Write documents and their version, in one transaction."""
        with self._engine.begin() as tx:
            documents.write(tx, workflow, kept)

    def wait(self, timeout: float) -> None:
        """Wait a little."""
        time.sleep(min(timeout, PAUSE))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _contents(self, tx: Connection, queue: str) -> Contents:
        free = func.count().filter(self._is_free())
        waiting, all_ = tx.execute(select(free, func.count()).where(MESSAGES.c.queue == queue)).one()
        return Contents(waiting, all_ - waiting)

    def _queues_with_work(self, names: Sequence[str]) -> Select[Any]:
        """Ask for each queue no more than whether there is a first message: others may be many."""
        work = exists().where(MESSAGES.c.queue == QUEUES.c.name, self._is_free())
        return select(QUEUES.c.name).where(QUEUES.c.name.in_(names), work)

    def _take(self, tx: Connection, queue: str, limit: int, room: int, *, is_first: bool) -> tuple[Sequence[Held], int]:
        """Return what was taken from a queue, and how much room that leaves. Contents are read when it is known how large they are."""
        free = select(NUMBER, func.length(MESSAGES.c.content)).where(MESSAGES.c.queue == queue, self._is_free())
        first = free.order_by(NUMBER).limit(max(limit, 0)).with_for_update(skip_locked=True)
        numbers: list[int] = []
        for number, size in tx.execute(first).all():
            if size > room and (numbers or not is_first):
                break
            numbers.append(number)
            room -= size
        if not numbers:
            return (), room
        ours = NUMBER.in_(numbers)
        rows = tx.execute(select(*READ).where(ours).order_by(NUMBER)).all()
        tx.execute(update(MESSAGES).where(ours).values(deliveries=DELIVERIES + 1, held_until=self._now() + self._lease))
        return [_held(row) for row in rows], room

    def _hold(self, held: Iterable[Held], until: ColumnElement[float]) -> None:
        messages = list(held)
        if messages:
            with self._engine.begin() as tx:
                tx.execute(update(MESSAGES).where(_is_one_of(messages)).values(held_until=until))

    def _is_free(self) -> ColumnElement[bool]:
        """Say that nobody holds a message: its lease is over, or none that anybody takes. SQLite keeps text and bytes there, too, which are after all numbers."""
        return or_(self._now() >= HELD_UNTIL, self._now() + 2 * LONGEST_LEASE < HELD_UNTIL)

    def _now(self) -> ColumnElement[float]:
        """Return the time in seconds since 1970 UTC: the server's, because the clocks of its clients differ."""
        if self._engine.dialect.name == "postgresql":
            return literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)", Float(53))
        return literal(time.time(), Float(53))


def _known(connection: Connection, queues: Iterable[str]) -> set[str]:
    """Return those of `queues` that there are."""
    return set(connection.scalars(select(QUEUES.c.name).where(QUEUES.c.name.in_(sorted(queues)))))


def _held(row: Any) -> Held:
    return Held(row.queue, Content.unpacked(row.content), row.deliveries + 1, row.number)


def _is_one_of(held: Iterable[Held]) -> ColumnElement[bool]:
    """Say which messages these are, as long as nobody else was given them."""
    return tuple_(NUMBER, DELIVERIES).in_([(each.key, each.deliveries) for each in held])
