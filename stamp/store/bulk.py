"""Many rows with one statement: SQLite runs it once a row, which is a call in the same process; PostgreSQL gets an array for each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

__all__ = ["Change", "Insert", "Rows", "arrays", "unnested"]

ARRAYS: Final = {"number": "bigint[]", "text": "text[]", "bytes": "bytea[]"}

Rows = Sequence[Sequence[Any]]


class Change:
    """An UPDATE or a DELETE for each of some rows.

    In its SQL every value stands in braces. The columns of the rows are named with their kinds: number, text or bytes. PostgreSQL finds them in
    the table `given`, where the SQL has `{given}`; `among` may narrow that table before anything is changed.
    """

    def __init__(self, sql: str, *, among: str = "{given}", **columns: str) -> None:
        self._columns = tuple(columns)
        self._for_one_row = sql.format_map(_Values(":{}", given=""))
        verb = "USING" if sql.startswith("DELETE") else "FROM"
        given = f"{verb} {among.format(given=unnested(columns))}"
        self._for_arrays = sql.format_map(_Values("%({})s", {name: f"given.{name}" for name in columns}, given=given))

    def execute(self, tx: Connection, rows: Rows, **values: object) -> int:
        """Run it for `rows`, with the same other `values` for all, and return how many rows were changed."""
        if not rows:
            return 0
        if tx.dialect.name == "postgresql":
            return tx.exec_driver_sql(self._for_arrays, arrays(self._columns, rows) | values).rowcount
        each = [dict(zip(self._columns, row, strict=True)) | values for row in rows]
        return tx.exec_driver_sql(self._for_one_row, each).rowcount


class Insert:
    """Puts rows into a table, but for those whose key is there.

    On PostgreSQL they go in sorted by `keys`: two transactions that put the same rows in by different orders would wait for each other.
    """

    def __init__(self, table: str, columns: Mapping[str, str], *, keys: Iterable[str]) -> None:
        names = ", ".join(columns)
        self._columns = tuple(columns)
        values = ", ".join(["?"] * len(columns))
        self._for_one_row = f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
        selected = f"SELECT * FROM {unnested(columns)} ORDER BY {', '.join(keys)}"  # noqa: S608 - our own names
        self._for_arrays = f"INSERT INTO {table} ({names}) {selected} ON CONFLICT DO NOTHING"

    def execute(self, tx: Connection, rows: Rows) -> int:
        """Put `rows` in, and return how many of them are new."""
        if not rows:
            return 0
        if tx.dialect.name == "postgresql":
            return tx.exec_driver_sql(self._for_arrays, arrays(self._columns, rows)).rowcount
        return tx.exec_driver_sql(self._for_one_row, [tuple(row) for row in rows]).rowcount


def unnested(columns: Mapping[str, str]) -> str:
    """Return what PostgreSQL reads rows from that came as arrays: the table `given`."""
    # As binary (%b): to write arrays as text, psycopg goes over every letter.
    values = ", ".join(f"%({name})b::{ARRAYS[kind]}" for name, kind in columns.items())
    return f"unnest({values}) AS given({', '.join(columns)})"


def arrays(columns: Iterable[str], rows: Rows) -> dict[str, object]:
    """Return rows as an array for each column."""
    return {name: list(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}


class _Values(dict[str, str]):
    """What stands for a name in braces: what is known of it, or else a value that comes with each execution."""

    def __init__(self, placeholder: str, known: Mapping[str, str] | None = None, **more: str) -> None:
        super().__init__(known or {}, **more)
        self._placeholder = placeholder

    def __missing__(self, name: str) -> str:
        return self._placeholder.format(name)
