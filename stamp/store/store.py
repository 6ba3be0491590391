"""A database with our tables in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from stamp.errors import PERMISSIONS, NoStoreError, StoreError, StoreUnreachableError
from stamp.store import edition, postgresql, sqlite
from stamp.store.address import address, file_of, is_in_memory, public, secrets
from stamp.store.turn import Turn

__all__ = ["Store"]

CONNECT: Final = {"sqlite": sqlite.connect, "postgresql": postgresql.connect}
ATTACH: Final = {"sqlite": sqlite.attach, "postgresql": postgresql.connect}
"""The same for who makes nothing."""


class Store:
    """Gives out transactions; threads may share it, processes must not.

    `url` is where it is, without a password and without options: for messages and logs. `is_shared_between_machines`: services elsewhere can use
    the same one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._readers = engine.execution_options(stamp_reads=True, postgresql_readonly=True)
        # A database in memory is its one connection: whoever uses it has it alone.
        self._turn: AbstractContextManager[object] = Turn() if is_in_memory(engine.url) else nullcontext()
        self.url = public(engine.url)
        self._secrets = secrets(engine.url)
        self.is_shared_between_machines = engine.dialect.name == "postgresql"

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Store:
        """Open the database at `url`, and create the tables if it has none; or else, without `create`, leave it alone.

        `sqlite:///stamp.db` is a file, `sqlite://` is in memory and for tests, `postgresql://user@host/database` a server.

        Raises:
            StoreError: there is no such database, it refuses us, a later release of stamp has made its tables, or others
                keep them from being changed. NoStoreError: it has none.
        """
        where = address(url)
        if not create and (file := file_of(where)) is not None and not file.exists():
            raise NoStoreError(f"there is no file {file}: no worker has used it yet, or it is somewhere else")
        try:
            store = cls((CONNECT if create else ATTACH)[where.get_backend_name()](where))
            store._prepare(create=create)
        except (
            SQLAlchemyError,
            TypeError,
            ValueError,
        ) as error:  # of options in the URL: whoever is asked first refuses them
            hidden = secrets(where)
            said = hidden.masked(getattr(error, "orig", error))
            raise StoreError(f"{public(where)} cannot be opened: {said}{_advice(error)}") from hidden.cause(error)
        return store

    def _prepare(self, *, create: bool) -> None:
        try:
            with self.read() as connection:
                if not create:
                    edition.must_exist(connection, self.url)
                if edition.is_current(connection):
                    return
            with self.begin() as tx:
                edition.create(tx)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a transaction that writes: committed at the end, rolled back if anything is raised.

        Raises:
            StoreError: the database failed. Nothing has happened, unless it failed during the commit itself: then nobody
                knows, and doing the same again is right, because every operation of a store may be repeated.
        """
        with self._translated(), self._turn, self._engine.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Begin a transaction that only reads, and waits for no writer.

        Raises:
            StoreError: the database failed.
        """
        with self._translated(), self._turn, self._readers.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            said = self._secrets.masked(error)
            raise StoreUnreachableError(f"{self.url}: all connections are in use: {said}") from self._secrets.cause(
                error
            )
        except DBAPIError as error:
            if not _is_of_the_database(error):
                raise
            kind = StoreUnreachableError if isinstance(error, InterfaceError | OperationalError) else StoreError
            reason = " ".join(self._secrets.masked(error.orig).split())
            cause = error if error.orig is None else error.orig
            raise kind(f"{self.url} cannot be used: {reason}{_advice(error)}") from self._secrets.cause(cause)


def _advice(error: BaseException) -> str:
    return f"; {PERMISSIONS}" if postgresql.is_refusal(error) else ""


def _is_of_the_database(error: DBAPIError) -> bool:
    """Tell failures of the database from those of what it was asked: a handler's own SQL may be wrong, and that is its own affair.

    For SQLite a table that is not there is an operational error, too; its code says that the statement is wrong.
    """
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False
    return (
        postgresql.is_refusal(error)
        or isinstance(error, InterfaceError | InternalError | OperationalError)
        or type(error) is DatabaseError
    )
