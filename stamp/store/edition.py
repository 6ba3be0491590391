"""The tables of a database come into being, and know of which edition they are."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

from stamp.errors import NoStoreError, StoreError
from stamp.store.functions import FUNCTIONS
from stamp.store.tables import EDITION, INBOX, METADATA, STORAGE

__all__ = ["CURRENT", "create", "is_current", "must_exist"]

CURRENT: Final = 3
"""The edition of the tables that this release works with.

A later one only adds tables, and columns that may be empty, so workers of an earlier one that are running go on.
"""

LOCK: Final = int.from_bytes(b"stamp-db")
"""What processes that start at once queue for on PostgreSQL; any number that nobody else uses."""


def is_current(connection: Connection) -> bool:
    """Tell whether the tables are there and of our edition: then nothing has to be locked. Those of an earlier edition are not.

    Raises:
        StoreError: they are of a later edition.
    """
    found = _found(connection)
    if found is not None and found > CURRENT:
        raise StoreError(
            f"the tables are of edition {found}, and this release of stamp works with edition {CURRENT}: "
            "install the later release that made them, or use another database"
        )
    return found == CURRENT


def must_exist(connection: Connection, url: str) -> None:
    """Accept tables of our edition, for whoever may not make any.

    Raises:
        NoStoreError: there are none. StoreError: they are of another edition.
    """
    if is_current(connection):
        return
    found = _found(connection)
    if found is None:
        raise NoStoreError(f"{url} has no tables of stamp: no worker has used it yet, or it is another database")
    raise StoreError(
        f"the tables of {url} are of edition {found}, and this release of stamp works with edition {CURRENT}: "
        "a worker of this release brings them up to date when it starts"
    )


def create(tx: Connection) -> None:
    """Create the tables, or what an earlier edition lacks of them, unless somebody else has done so in the meantime.

    Raises:
        StoreError: they are of a later edition.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if is_current(tx):
        return
    METADATA.create_all(tx)
    _add_columns(tx)
    if tx.dialect.name == "postgresql":
        for each in (*STORAGE, *FUNCTIONS):
            tx.exec_driver_sql(each)
    tx.execute(EDITION.delete())
    tx.execute(EDITION.insert(), {"edition": CURRENT})


def _add_columns(tx: Connection) -> None:
    known = {each["name"] for each in inspect(tx).get_columns(INBOX.name)}
    for name, kinds in ADDED.items():
        if name not in known:
            tx.exec_driver_sql(f"ALTER TABLE {INBOX.name} ADD COLUMN {name} {kinds[tx.dialect.name]}")


ADDED: Final = {"content": {"sqlite": "BLOB", "postgresql": "BYTEA"}}
"""The columns of the inbox that came with edition 3."""


def _found(connection: Connection) -> int | None:
    if not inspect(connection).has_table(EDITION.name):
        return None
    found = connection.execute(EDITION.select()).scalars().all()
    if len(found) != 1 or not isinstance(found[0], int):
        raise StoreError(
            f"expected one number in the table {EDITION.name}, the edition of the tables, got {list(found[:3])!r:.80}: "
            "restore the database from a backup, or use another one"
        )
    return found[0]
