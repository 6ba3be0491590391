"""Messages that nobody works on any more until a person has decided: again, or never."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select, type_coerce
from sqlalchemy.types import NullType

from stamp.errors import InputError, WireError
from stamp.store import record
from stamp.store.burial import bury
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.store.statement import Statement
from stamp.store.tables import CONTENTS, DEAD_LETTERS, INBOX

__all__ = ["DeadLetter", "Letter", "bury", "discard", "find", "get", "remove", "replay"]


class DeadLetter(NamedTuple):
    """A message as it came, and why it is dead for `consumer`.

    `attempts` were made, the last of them at `last_at`; it had arrived at `first_at`. Both are microseconds since 1970, UTC.
    """

    message: Message
    consumer: str
    letter: Letter
    attempts: int
    first_at: int
    last_at: int


def find(
    connection: Connection,
    *,
    consumer: str | None = None,
    reason: str | None = None,
    workflow_id: str | None = None,
    prefixes: Sequence[str] = (),
) -> Iterator[DeadLetter]:
    """Read the dead letters as they are asked for, those that have been dead longest first: all, or of a consumer, a reason, a run.

    With `prefixes` those whose event ids begin with one of them, in hexadecimal digits.

    Raises:
        InputError: a prefix has other letters.
    """
    conditions: list[ColumnElement[bool]] = []
    if consumer is not None:
        conditions.append(DEAD_LETTERS.c.consumer == consumer)
    if reason is not None:
        conditions.append(DEAD_LETTERS.c.reason == reason)
    if workflow_id is not None:
        conditions.append(INBOX.c.workflow_id == record.escaped(workflow_id))
    if prefixes:
        conditions.append(or_(*(DEAD_LETTERS.c.event_id.between(*_bounds(each)) for each in prefixes)))
    return _select(connection, *conditions)


def get(connection: Connection, prefix: str, *, consumer: str | None = None) -> DeadLetter:
    """Return the dead letter whose event id begins with `prefix`, in hexadecimal digits as people copy them.

    Raises:
        InputError: there is none, or more than one.
    """
    found = list(find(connection, consumer=consumer, prefixes=[prefix]))
    if not found:
        raise InputError(f"no dead letter has an event id that begins with {prefix!r}")
    if len(found) > 1:
        shown = ", ".join(f"{each.message.event_id.hex()} of {each.consumer}" for each in found[:5])
        raise InputError(
            f"{len(found)} dead letters have an event id that begins with {prefix!r}: {shown}; say which one"
        )
    return found[0]


def replay(tx: Connection, letter: DeadLetter, now: int) -> bool:
    """Have a dead letter worked on again, at once and with all attempts, and tell whether it was still dead."""
    return _end(tx, letter, REPLAY, now)


def remove(tx: Connection, letter: DeadLetter) -> bool:
    """Forget a dead letter and its event, as if it had never come, and tell whether it was still dead."""
    DROP.execute(tx, **_key(letter))
    if not REMOVE.execute(tx, **_key(letter)).rowcount:
        return False
    FORGET.execute(tx, **_key(letter))
    return True


def discard(tx: Connection, letter: DeadLetter, now: int) -> bool:
    """Give a dead letter up: its body is gone, the event counts as done. Tell whether it was still dead."""
    if not _end(tx, letter, DISCARD, now):
        return False
    DROP.execute(tx, **_key(letter))
    return True


def _end(tx: Connection, letter: DeadLetter, statement: Statement, now: int) -> bool:
    if not statement.execute(tx, now=now, **_key(letter)).rowcount:
        return False
    FORGET.execute(tx, **_key(letter))
    return True


def _key(letter: DeadLetter) -> dict[str, Any]:
    return {"consumer": letter.consumer, "event_id": letter.message.event_id}


def _select(connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[DeadLetter]:
    same = and_(INBOX.c.consumer == DEAD_LETTERS.c.consumer, INBOX.c.event_id == DEAD_LETTERS.c.event_id)
    joined = DEAD_LETTERS.join(INBOX, same).join(CONTENTS, CONTENTS.c.number == INBOX.c.number)
    message = (
        INBOX.c.event_id,
        INBOX.c.workflow,
        INBOX.c.workflow_id,
        INBOX.c.event,
        CONTENTS.c.headers,
        CONTENTS.c.body,
    )
    letter = (DEAD_LETTERS.c[name] for name in Letter._fields)
    rest = (DEAD_LETTERS.c[name] for name in ("consumer", "attempts", "first_at", "last_at"))
    columns = [type_coerce(each, NullType) for each in (*message, *letter, *rest)]
    ordered = select(*columns).select_from(joined).where(*conditions).order_by(DEAD_LETTERS.c.last_at, INBOX.c.number)
    with connection.execute(ordered, execution_options={"yield_per": 100}) as rows:
        for row in rows:
            yield _dead_letter(tuple(row))


def _dead_letter(row: tuple[Any, ...]) -> DeadLetter:
    """Return what can be read of a letter: whoever has to decide about it must see it, whatever lies there."""
    columns, letter, (consumer, attempts, first_at, last_at) = row[:6], row[6:12], row[12:]
    queue = record.readable_text(consumer)
    try:
        message = record.message(columns)
    except WireError:
        message = record.remains(columns, queue)
        if isinstance(columns[0], bytes):
            message = message._replace(event_id=columns[0])
    reason, error_type, error_message, traceback = map(record.readable_text, letter[:4])
    writer, reader = (None if each is None else record.readable_text(each) for each in letter[4:])
    return DeadLetter(
        message,
        queue,
        Letter(reason, error_type, error_message, traceback, writer, reader),
        record.readable_number(attempts),
        record.readable_number(first_at),
        record.readable_number(last_at),
    )


def _bounds(prefix: str) -> tuple[bytes, bytes]:
    """Return the least and the greatest event id that begin with these digits."""
    digits = prefix.lower().replace("-", "")
    if not DIGITS.fullmatch(digits):
        raise InputError(f"expected the first digits of an event id, such as 3f2a90, got {prefix!r}")
    return bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))


DIGITS = re.compile("[0-9a-f]{0,32}")
FORGET = Statement("DELETE FROM stamp_dead_letter WHERE consumer = :consumer AND event_id = :event_id")
REPLAY = Statement(
    """
    UPDATE stamp_inbox SET state = 0, attempts = 0, failures = 0, not_before = :now, error = NULL
    WHERE consumer = :consumer AND event_id = :event_id AND state = 3
    """
)
DISCARD = Statement(
    """
    UPDATE stamp_inbox SET state = 2, done_at = :now
    WHERE consumer = :consumer AND event_id = :event_id AND state = 3
    """
)
REMOVE = Statement("DELETE FROM stamp_inbox WHERE consumer = :consumer AND event_id = :event_id AND state = 3")
DROP = Statement(
    """
    DELETE FROM stamp_content WHERE number IN (
        SELECT number FROM stamp_inbox WHERE consumer = :consumer AND event_id = :event_id AND state <> 0
    )
    """
)
