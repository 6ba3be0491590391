"""The tables of a database come into being, and know of which edition they are."""

from __future__ import annotations

from time import sleep
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from stamp.errors import NoStoreError, StoreError
from stamp.store import postgresql
from stamp.store.functions import FUNCTIONS
from stamp.store.tables import EDITION, INBOX, METADATA, STORAGE

__all__ = ["CURRENT", "create", "is_current", "must_exist"]

CURRENT: Final = 3
"""The edition of the tables that this release works with.

A later one only adds tables, and columns that may be empty, so workers of an earlier one that are running go on. One of them that starts
anew is refused.
"""

LOCK: Final = int.from_bytes(b"stamp-db")
"""What processes that start at once queue for on PostgreSQL; any number that nobody else uses."""
LOCK_TIMEOUT: Final = 1.0
"""How long to wait for a table that somebody uses, in seconds: all who come later, if only to read, wait behind us."""
PAUSE: Final = 1.0
"""How long to let the others work before we try again, in seconds."""
TRIES: Final = 10


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
        StoreError: they are of a later edition, or on PostgreSQL others have a table locked.
    """
    if tx.dialect.name == "postgresql":
        _create_beside_others(tx)
    elif not is_current(tx):
        _create(tx)


def _create_beside_others(tx: Connection) -> None:
    """Create tables on PostgreSQL; to add a column, nobody may have an open transaction that has so much as read the table."""
    _limit_waiting(tx, TRIES * (LOCK_TIMEOUT + PAUSE))
    try:
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    except OperationalError as error:
        if not postgresql.is_locked(error):
            raise
        raise StoreError(
            f"another process has not created the tables of edition {CURRENT} in time: start again"
        ) from None
    if is_current(tx):
        return
    _limit_waiting(tx, LOCK_TIMEOUT)
    for number in range(TRIES):
        sleep(PAUSE if number else 0.0)
        if _try_to_create(tx):
            return
    raise StoreError(
        f"the tables cannot be brought to edition {CURRENT}: {INBOX.name} is locked by transactions that stay open, "
        f"of {_users(tx) or 'others'}; end them (pg_stat_activity tells more), then start again"
    )


def _users(tx: Connection) -> str:
    """Tell which other sessions have used the inbox in an open transaction."""
    rows = tx.execute(text(USERS), {"table": INBOX.name}).all()
    return ", ".join(f"process {pid} (user {user}, application {application!r})" for pid, user, application in rows)


USERS: Final = """
    SELECT DISTINCT pid, usename, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE relation = to_regclass(:table) AND granted AND pid <> pg_backend_pid() ORDER BY pid LIMIT 5
"""


def _limit_waiting(tx: Connection, seconds: float) -> None:
    tx.execute(text("SELECT set_config('lock_timeout', :limit, true)"), {"limit": f"{round(seconds * 1000)}ms"})


def _try_to_create(tx: Connection) -> bool:
    """Create the tables, or nothing and let go of all that was locked for it."""
    try:
        with tx.begin_nested():
            _create(tx)
    except OperationalError as error:
        if not postgresql.is_locked(error):
            raise
        return False
    return True


def _create(tx: Connection) -> None:
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
