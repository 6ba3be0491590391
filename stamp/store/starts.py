"""Which runs have begun, and with what: the id of a run is used once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from stamp.store.bulk import Insert
from stamp.store.tables import STARTS

__all__ = ["put"]

AT_ONCE: Final = 500
"""How many runs one query looks for."""


def put(tx: Connection, contents: Mapping[bytes, bytes], *, now: int) -> Mapping[bytes, bytes]:
    """Note that runs begin, given by their keys the digests of what they begin with. Return those that began before, with what they did.

    `now` is in microseconds. Of runs that others begin at the same moment those are returned that begin with something else.
    """
    known = _find(tx, contents)
    fresh = {run: content for run, content in contents.items() if run not in known}
    if PUT.execute(tx, [(run, content, now) for run, content in fresh.items()]) < len(fresh):
        known |= {run: content for run, content in _find(tx, fresh).items() if content != fresh[run]}
    return known


def _find(tx: Connection, runs: Iterable[bytes]) -> dict[bytes, bytes]:
    wanted, found = list(runs), dict[bytes, bytes]()
    for first in range(0, len(wanted), AT_ONCE):
        query = select(STARTS.c.run, STARTS.c.content).where(STARTS.c.run.in_(wanted[first : first + AT_ONCE]))
        found |= {bytes(run): bytes(content) for run, content in tx.execute(query)}
    return found


PUT = Insert("stamp_start", {"run": "bytes", "content": "bytes", "at": "number"}, keys=("run",))
