"""One SQL text for both databases, and how many rows go into one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, TextClause, text

__all__ = ["Insert", "Statement"]

ARRAYS: Final = {"number": "bigint[]", "text": "text[]", "bytes": "bytea[]"}
READ_FROM_JSON: Final = {
    "number": "json_extract(value, '$[{at}]')",
    "text": "json_extract(value, '$[{at}]')",
    "bytes": "stamp_bytes(json_extract(value, '$[{at}]'))",
}
SAME: Final = {"unfinished": "state < 2", "waiting": "state = 0", "at_work": "state = 1"}
WORDS: Final = {
    "sqlite": {**SAME, "skip_locked": "", "skip_locked_inbox": ""},
    "postgresql": {
        **SAME,
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "skip_locked_inbox": "FOR UPDATE OF stamp_inbox SKIP LOCKED",
    },
}


class Statement:
    """SQL with `:name` for values, `{given}` for a table of rows, and `{skip_locked}` where other transactions are not waited for.

    The columns of the given rows are named with their kinds: number, text or bytes. PostgreSQL gets an array per column, SQLite
    one JSON text: so the text of the statement is the same for any number of rows, and is prepared once.
    """

    def __init__(self, sql: str, **columns: str) -> None:
        self._sql = sql
        self._columns = columns
        self._text = cache(self._written_for)

    def execute(
        self, connection: Connection, rows: Sequence[Sequence[Any]] | None = None, /, **values: object
    ) -> CursorResult[Any]:
        """Run it once, with `rows` as the table `given`."""
        if rows is not None:
            values.update(self._given(connection.dialect.name, rows))
        return connection.execute(self._text(connection.dialect.name), values)

    def _written_for(self, dialect: str) -> TextClause:
        return text(self._sql.format(given=self._table(dialect), **WORDS[dialect]))

    def _table(self, dialect: str) -> str:
        if dialect == "postgresql":
            arrays = ", ".join(f"CAST(:given_{name} AS {ARRAYS[kind]})" for name, kind in self._columns.items())
            return f"unnest({arrays}) AS given({', '.join(self._columns)})"
        columns = (
            f"{READ_FROM_JSON[kind].format(at=at)} AS {name}" for at, (name, kind) in enumerate(self._columns.items())
        )
        return f"(SELECT {', '.join(columns)} FROM json_each(:given)) AS given"  # noqa: S608 - our own names

    def _given(self, dialect: str, rows: Sequence[Sequence[Any]]) -> dict[str, object]:
        if dialect == "postgresql":
            columns = zip(*rows, strict=True) if rows else ((),) * len(self._columns)
            return {f"given_{name}": list(column) for name, column in zip(self._columns, columns, strict=True)}
        return {"given": json.dumps(rows, default=bytes.hex)}


class Insert:
    """Puts rows in unless their key is there, however many in one statement.

    `keys` are the columns that make a row unique. On PostgreSQL rows go in sorted by them: two transactions that put the same rows
    in different orders would wait for each other. `numbered` names a sequence that counts rows as they were given, nevertheless.
    """

    def __init__(
        self, table: str, columns: dict[str, str], *, keys: Sequence[str], numbered: str | None = None
    ) -> None:
        self._table = table
        self._columns = columns
        self._keys = keys
        self._numbered = numbered
        self._for_one_row = self._values()
        self._for_arrays = self._select()

    def execute(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Put `rows` in, and return how many of them are new."""
        if not rows:
            return 0
        if tx.dialect.name == "postgresql":
            arrays = tuple(list(column) for column in zip(*rows, strict=True))
            return tx.exec_driver_sql(self._for_arrays, arrays).rowcount
        return tx.exec_driver_sql(self._for_one_row, [tuple(row) for row in rows]).rowcount

    def _values(self) -> str:
        marks = ", ".join("?" * len(self._columns))
        return f"INSERT INTO {self._table} ({', '.join(self._columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - our own names

    def _select(self) -> str:
        names = ", ".join(self._columns)
        arrays = ", ".join(f"%s::{ARRAYS[kind]}" for kind in self._columns.values())
        given = f"SELECT * FROM unnest({arrays}) AS given({names})"  # noqa: S608 - our own names
        if self._numbered is not None:
            names = f"{names}, number"
            given = f"SELECT given.*, nextval('{self._numbered}') AS number FROM ({given}) AS given"  # noqa: S608 - our own names
        return (
            f"INSERT INTO {self._table} ({names}) SELECT {names} FROM ({given}) AS given "  # noqa: S608 - our own names
            f"ORDER BY {', '.join(self._keys)} ON CONFLICT DO NOTHING"
        )
