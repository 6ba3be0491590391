"""What is old and finished goes."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from stamp.store.statement import Statement
from stamp.store.tables import FINALS, STARTS

__all__ = ["prune"]


def prune(tx: Connection, *, before: int, limit: int) -> int:
    """Delete work that was done, final events that came and starts of runs that were before `before` (microseconds).

    Return how many rows, `limit` at most.

    What waits, is at work, dead or not yet known to be received stays, however old it is. A repeat of an event whose row is gone is
    taken for a new event, so keep rows longer than any broker may hold a message.
    """
    pruned = DONE.execute(tx, before=before, limit=limit).rowcount
    for key, at in ((FINALS.c.event_id, FINALS.c.at), (STARTS.c.run, STARTS.c.at)):
        old = select(key).where(at < before).order_by(at).limit(limit - pruned)
        pruned += tx.execute(delete(key.table).where(key.in_(old))).rowcount
    return pruned


DONE = Statement(
    """
    DELETE FROM stamp_inbox WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM stamp_inbox WHERE state = 2 AND done_at < :before ORDER BY done_at LIMIT :limit {skip_locked}
    )
    """
)
