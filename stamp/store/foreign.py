"""What in the tables of a database is not as this release writes it: made by a state of stamp before its release, or by other hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, func, inspect, or_, select
from sqlalchemy.sql.elements import ColumnElement

from stamp.store.tables import METADATA

__all__ = ["lacking", "odd_rows"]


def lacking(connection: Connection) -> tuple[str, ...]:
    """Return the tables, and the columns of those that are there, which this release needs and the database does not have."""
    found = inspect(connection)
    missing: list[str] = []
    for table in METADATA.sorted_tables:
        if not found.has_table(table.name):
            missing.append(table.name)
            continue
        there = {column["name"] for column in found.get_columns(table.name)}
        missing += [f"{table.name}.{column.name}" for column in table.columns if column.name not in there]
    return tuple(missing)


def odd_rows(connection: Connection) -> Mapping[str, int]:
    """Return, by table, how many rows have a value of another type than this release writes there.

    SQLite takes any value for any column. PostgreSQL does not, so there are none.
    """
    if connection.dialect.name != "sqlite":
        return {}
    counts = {table.name: _count_odd(connection, table) for table in METADATA.sorted_tables}
    return {name: count for name, count in counts.items() if count}


def _count_odd(connection: Connection, table: Table) -> int:
    odd = or_(*map(_is_odd, table.columns))
    return connection.execute(select(func.count()).select_from(table).where(odd)).scalar_one()


def _is_odd(column: Column[object]) -> ColumnElement[bool]:
    expected = next((name for kind, name in _STORED.items() if isinstance(column.type, kind)), "integer")
    return func.typeof(column).not_in([expected, "null"] if column.nullable else [expected])


_STORED: Final = {Text: "text", LargeBinary: "blob"}
"""What SQLite calls what it stores; the other columns are numbers."""
