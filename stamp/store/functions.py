"""Functions of PostgreSQL that look for work: for the sake of their settings.

PostgreSQL plans by statistics, and those of a queue are of another hour: where it expects 4 messages it would read and sort all of
20,000, or go through everything that is done. Here it can only walk along an index, and plans once.
"""

from __future__ import annotations

from typing import Final

from stamp.store.due import FIRST, LEASE, TAKEN
from stamp.store.statement import WORDS

__all__ = ["FUNCTIONS"]

SETTINGS: Final = """
    SET enable_bitmapscan = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET jit = off SET plan_cache_mode = force_generic_plan
"""

# Each consumer's share of what arrived first is looked up without locks. Then as many are locked: those, or, where others take at the
# same time, the next ones.
TAKE: Final = f"""
    CREATE OR REPLACE FUNCTION stamp_take(consumers text[], most bigint, moment bigint, lease_end bigint)
    RETURNS TABLE (
        number bigint, fence bigint, consumer text, attempts integer, failures integer, arrived_at bigint,
        event_id bytea, workflow text, workflow_id text, event text, headers text, body bytea
    )
    LANGUAGE plpgsql {SETTINGS} AS $$
    #variable_conflict use_column
    BEGIN
        RETURN QUERY
        WITH share AS (
            SELECT consumer, count(*) AS size FROM (
                SELECT wanted.consumer FROM unnest(consumers) AS wanted(consumer) CROSS JOIN LATERAL (
                    SELECT number FROM stamp_inbox WHERE consumer = wanted.consumer AND {FIRST} ORDER BY number LIMIT most
                ) AS waiting ORDER BY number LIMIT most
            ) AS arrived_first GROUP BY consumer
        ), due AS MATERIALIZED (
            SELECT waiting.ctid FROM share CROSS JOIN LATERAL (
                SELECT ctid FROM stamp_inbox WHERE consumer = share.consumer AND {FIRST}
                ORDER BY number LIMIT share.size FOR UPDATE SKIP LOCKED
            ) AS waiting
        )
        {LEASE} FROM due WHERE stamp_inbox.ctid = due.ctid RETURNING {TAKEN};
    END $$
"""  # noqa: S608 - our own names
IS_DUE: Final = f"""
    CREATE OR REPLACE FUNCTION stamp_is_due(consumers text[], moment bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE {SETTINGS} AS $$
    #variable_conflict use_column
    BEGIN
        RETURN EXISTS (
            SELECT 1 FROM unnest(consumers) AS wanted(consumer) CROSS JOIN LATERAL (
                SELECT 1 FROM stamp_inbox WHERE consumer = wanted.consumer AND {FIRST} ORDER BY number LIMIT 1
            ) AS waiting
        );
    END $$
"""  # noqa: S608 - our own names


def _named(sql: str) -> str:
    return sql.format_map(WORDS["postgresql"]).replace(":now", "moment").replace(":until", "lease_end")


FUNCTIONS: Final = (_named(TAKE), _named(IS_DUE))
