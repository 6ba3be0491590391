"""Which runs have begun, and with what: the id of a run is used once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from stamp.store.bulk import arrays, unnested
from stamp.store.record import readable_bytes
from stamp.store.tables import STARTS

__all__ = ["put"]

AT_ONCE: Final = 500
"""How many runs one statement is about."""


def put(tx: Connection, contents: Mapping[bytes, bytes], *, now: int) -> Mapping[bytes, bytes]:
    """Note that runs begin, given by their keys the digests of what they begin with. Return those that began before, with what they did.

    `now` is in microseconds. Who begins a run that somebody else begins at the same moment waits until that one is committed, or not.
    """
    # Sorted: two transactions that put the same rows in by different orders would wait for each other.
    rows = [(run, content, now) for run, content in sorted(contents.items())]
    new = {bytes(run) for batch in _batches(rows) for run in PUT[tx.dialect.name](tx, batch)}
    return _find(tx, [run for run in contents if run not in new])


def _put_on_sqlite(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> Sequence[bytes]:
    values = ", ".join(["(?, ?, ?)"] * len(rows))
    return tx.exec_driver_sql(INTO.format(f"VALUES {values}"), tuple(chain(*rows))).scalars().all()


def _put_on_postgresql(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> Sequence[bytes]:
    return tx.exec_driver_sql(INTO.format(f"SELECT * FROM {unnested(COLUMNS)}"), arrays(COLUMNS, rows)).scalars().all()  # noqa: S608 - our own names


def _find(tx: Connection, runs: Sequence[bytes]) -> dict[bytes, bytes]:
    found = select(STARTS.c.run, type_coerce(STARTS.c.content, NullType))
    rows = (row for batch in _batches(runs) for row in tx.execute(found.where(STARTS.c.run.in_(batch))))
    return {bytes(run): readable_bytes(content) for run, content in rows}


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))


PUT: Final = {"sqlite": _put_on_sqlite, "postgresql": _put_on_postgresql}
COLUMNS: Final = {"run": "bytes", "content": "bytes", "at": "number"}
INTO: Final = "INSERT INTO stamp_start (run, content, at) {} ON CONFLICT DO NOTHING RETURNING run"
