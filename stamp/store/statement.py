"""One SQL text for both databases."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, TextClause, text

__all__ = ["WORDS", "Statement"]

WORDS: Final = {
    "sqlite": {
        "skip_locked": "",
        "by_waiting": "INDEXED BY stamp_inbox_waiting",
        "by_run": "INDEXED BY stamp_inbox_run",
        "apart": "",
        "address": "rowid",
        "is_at_address": "rowid = :address",
    },
    "postgresql": {
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "by_waiting": "",
        "by_run": "",
        "apart": "OFFSET 0",
        "address": "CAST(ctid AS text)",
        "is_at_address": "ctid = CAST(:address AS tid)",
    },
}
"""Where the databases differ.

`{skip_locked}` locks what is found and passes over what another transaction has: on SQLite there is no other that writes. `{by_waiting}` and
`{by_run}` name an index: SQLite's planner has no statistics of ours, and must not guess. `{apart}` keeps PostgreSQL from making a join of a
subquery: it is looked up for each row then, with everything that is known of the row. `{address}`
is where a row lies, for one whose key cannot be trusted, as long as nobody changes it.
"""


class Statement:
    """SQL with `:name` for values, and with words in braces where the databases differ."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._text = cache(self._written_for)

    def execute(self, connection: Connection, **values: object) -> CursorResult[Any]:
        """Run it."""
        return connection.execute(self._text(connection.dialect.name), values)

    def _written_for(self, dialect: str) -> TextClause:
        return text(self._sql.format_map(WORDS[dialect]))
