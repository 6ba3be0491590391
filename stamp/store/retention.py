"""What is old and finished goes."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from stamp.store.statement import Statement
from stamp.store.tables import FINALS

__all__ = ["prune"]


def prune(tx: Connection, *, before: int, limit: int) -> int:
    """Delete work that was done, and final events that came, before `before` (microseconds); return how many rows, `limit` at most.

    What waits, is at work, dead or not yet known to be received stays, however old it is. A repeat of an event whose row is gone is
    taken for a new event, so keep rows longer than any broker may hold a message.
    """
    pruned = DONE.execute(tx, before=before, limit=limit).rowcount
    old = select(FINALS.c.event_id).where(FINALS.c.at < before).order_by(FINALS.c.at).limit(limit - pruned)
    return pruned + tx.execute(delete(FINALS).where(FINALS.c.event_id.in_(old))).rowcount


DONE = Statement(
    """
    DELETE FROM stamp_inbox WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM stamp_inbox WHERE state = 2 AND done_at < :before ORDER BY done_at LIMIT :limit {skip_locked}
    )
    """
)
