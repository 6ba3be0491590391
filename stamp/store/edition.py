"""The tables of a database come into being, and know of which edition they are."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, text

from stamp.errors import StoreError
from stamp.store.functions import FUNCTIONS
from stamp.store.tables import EDITION, METADATA, STORAGE

__all__ = ["CURRENT", "create", "is_current"]

CURRENT: Final = 1
"""The edition of the tables that this release works with."""

LOCK: Final = int.from_bytes(b"stamp-db")
"""What processes that start at once queue for on PostgreSQL; any number that nobody else uses."""


def is_current(connection: Connection) -> bool:
    """Tell whether the tables are there and of our edition: then nothing has to be locked.

    Raises:
        StoreError: they are of another edition.
    """
    if not inspect(connection).has_table(EDITION.name):
        return False
    found = connection.execute(EDITION.select()).scalar_one()
    if found != CURRENT:
        raise StoreError(
            f"the tables are of edition {found}, and this release of stamp works with edition {CURRENT}; "
            "another release has been here: install that one, or use another database"
        )
    return True


def create(tx: Connection) -> None:
    """Create the tables unless somebody else has done so in the meantime.

    Raises:
        StoreError: they are of another edition.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if is_current(tx):
        return
    METADATA.create_all(tx)
    if tx.dialect.name == "postgresql":
        for each in (*STORAGE, *FUNCTIONS):
            tx.exec_driver_sql(each)
    tx.execute(EDITION.insert(), {"edition": CURRENT})
