"""Events that go out: each is kept until its consumer is known to have it, and sent again until then.

Having been sent proves nothing on most transports. What does is a receipt: the event in the consumer's inbox, or whatever the caller
knows of. Times are microseconds, and the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from stamp.errors import WireError
from stamp.store import record
from stamp.store.bulk import Change, Insert
from stamp.store.burial import bury_row
from stamp.store.message import Message
from stamp.store.statement import Statement
from stamp.store.tables import OUTBOX

__all__ = ["Due", "Key", "due", "finish", "put", "receive_receipts", "sent", "unfinished"]

AT_ONCE: Final = 500
"""How many events one query looks for."""

Key = tuple[bytes, str]
"""An event's id and a consumer; "" where nobody has to take the event."""


class Due(NamedTuple):
    """An event that has to be sent to `consumer`; `sends` counts from 1, this time included."""

    message: Message
    consumer: str
    sends: int


def put(tx: Connection, entries: Sequence[tuple[Message, str]], *, now: int, resend_at: int) -> None:
    """Note that events go out, each to a consumer, and that they are due to be sent again at `resend_at`; what is noted already stays as it is."""
    PUT.execute(tx, [(*record.fields(each), consumer, now, resend_at) for each, consumer in entries])


def finish(tx: Connection, keys: Sequence[Key]) -> None:
    """Forget events that their consumers have."""
    FINISH.execute(tx, keys)


def unfinished(tx: Connection, event_ids: Sequence[bytes]) -> list[Key]:
    """Return which of these events are not known to have reached their consumers, with each such consumer."""
    found = select(OUTBOX.c.event_id, OUTBOX.c.consumer)
    batches = (event_ids[first : first + AT_ONCE] for first in range(0, len(event_ids), AT_ONCE))
    rows = (row for batch in batches for row in tx.execute(found.where(OUTBOX.c.event_id.in_(batch))))
    return [(bytes(event_id), consumer) for event_id, consumer in rows]


def receive_receipts(tx: Connection) -> int:
    """Forget the events that are in the inbox of their consumer, in this database, and return how many they were."""
    return RECEIVE_RECEIPTS.execute(tx).rowcount


def sent(tx: Connection, keys: Sequence[Key], *, resend_at: int) -> None:
    """Note that events were sent, by a transport whose word is no receipt: without one they are due again at `resend_at`."""
    SENT.execute(tx, keys, resend_at=resend_at)


def due(tx: Connection, *, now: int, limit: int, rest: Callable[[int], int]) -> list[Due]:
    """Take at most `limit` events that have to be sent again, those that have waited longest first.

    Nobody else gets them before `now + rest(sends)`, where `sends` is how often they have been sent then, this time included.
    A row that cannot be read becomes a dead letter of its consumer, here, and the others are taken.
    """
    rows = DUE.execute(tx, now=now, limit=limit).all()
    found = list(_readable(tx, rows, now=now))
    RESEND.execute(tx, [(each.message.event_id, each.consumer, now + rest(each.sends)) for each in found])
    return found


def _readable(tx: Connection, rows: Sequence[Any], *, now: int) -> Iterator[Due]:
    for row in rows:
        address, consumer, sends, *columns = row
        try:
            if not record.is_text(consumer):
                raise WireError("expected a row of the store with a text in consumer, got something else")
            due = Due(record.message(columns), consumer, record.count(sends, "sends") + 1)
        except WireError as error:
            LOSE.execute(tx, address=address)
            bury_row(tx, consumer, columns, error, now=now)
        else:
            yield due


PUT = Insert(
    "stamp_outbox",
    {**record.FIELDS, "consumer": "text", "created_at": "number", "resend_at": "number"},
    keys=("event_id", "consumer"),
)
KEYS = {"event_id": "bytes", "consumer": "text"}
THIS = "stamp_outbox.event_id = {event_id} AND stamp_outbox.consumer = {consumer}"
FINISH = Change(f"DELETE FROM stamp_outbox {{given}} WHERE {THIS}", **KEYS)  # noqa: S608 - our own names
RECEIVE_RECEIPTS = Statement(
    """
    DELETE FROM stamp_outbox WHERE (event_id, consumer) IN (
        SELECT event_id, consumer FROM stamp_outbox WHERE EXISTS (
            SELECT 1 FROM stamp_inbox
            WHERE stamp_inbox.consumer = stamp_outbox.consumer AND stamp_inbox.event_id = stamp_outbox.event_id
        ) {skip_locked}
    )
    """
)
SENT = Change(
    f"UPDATE stamp_outbox SET resend_at = {{resend_at}}, sends = sends + 1 {{given}} WHERE {THIS}",  # noqa: S608 - our own names
    **KEYS,
)
DUE = Statement(
    f"""
    SELECT {{address}}, consumer, sends, {record.COLUMNS} FROM stamp_outbox WHERE resend_at <= :now
    ORDER BY resend_at LIMIT :limit {{skip_locked}}
    """  # noqa: S608 - our own names
)
LOSE = Statement("DELETE FROM stamp_outbox WHERE {is_at_address}")
RESEND = Change(
    f"UPDATE stamp_outbox SET resend_at = {{resend_at}}, sends = sends + 1 {{given}} WHERE {THIS}",  # noqa: S608 - our own names
    **KEYS,
    resend_at="number",
)
