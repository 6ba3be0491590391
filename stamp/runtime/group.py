"""Several works in one transaction, so that one flush to the disk serves them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Final, NoReturn, Self

from sqlalchemy import Connection

from stamp.errors import StampError, StoreError
from stamp.store.store import Store

__all__ = ["Effects", "Group"]


class Group:
    """A transaction that begins when something is first written: handlers that write nothing lock nothing.

    It is a context: committed at its end, rolled back when something is raised in it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stack = ExitStack()
        self._transaction: Connection | None = None

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    @property
    def has_begun(self) -> bool:
        """Whether there is a transaction yet."""
        return self._transaction is not None

    @property
    def transaction(self) -> Connection:
        """The transaction.

        Raises:
            StoreError: the database does not let us begin one.
        """
        if self._transaction is None:
            self._transaction = self._stack.enter_context(self._store.begin())
            # What was done before in the group would be committed too, without its answers.
            self._transaction.commit = _refuse_to_commit  # type: ignore[method-assign]  # of this connection only
        return self._transaction

    @contextmanager
    def work(self) -> Iterator[Effects]:
        """Give one work its part of the transaction, which is taken back when the block raises.

        Raises:
            StoreError: the transaction as a whole is lost.
        """
        effects = Effects(self)
        try:
            yield effects
        except BaseException:
            effects.undo()
            raise
        effects.keep()


class Effects:
    """What the handler of one work writes; calling it gives the transaction to write with."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._has_begun = False

    def __call__(self) -> Connection:
        """Return the transaction; what is written from the first call on can be taken back."""
        transaction = self._group.transaction
        if not self._has_begun:
            _execute(transaction, BEGIN)
            self._has_begun = True
        return transaction

    def undo(self) -> None:
        """Take back what was written."""
        self._end(UNDO, KEEP)

    def keep(self) -> None:
        """Leave what was written to the group, which commits it."""
        self._end(KEEP)

    def _end(self, *statements: str) -> None:
        if not self._has_begun:
            return
        self._has_begun = False
        try:
            _execute(self._group.transaction, *statements)
        except Exception as error:  # each driver has its own; whatever it is, the transaction is of no use any more
            text = "expected a handler to leave its transaction open, got one that cannot go on"
            raise StoreError(f"{text}: {error}") from error


def _refuse_to_commit() -> NoReturn:
    raise StampError("expected a handler to leave its transaction to the worker, which commits it, got commit()")


BEGIN: Final = "SAVEPOINT stamp_work"
UNDO: Final = "ROLLBACK TO SAVEPOINT stamp_work"
KEEP: Final = "RELEASE SAVEPOINT stamp_work"


def _execute(transaction: Connection, *statements: str) -> None:
    """Say it to the driver itself: SQLAlchemy takes ten times as long for it as SQLite does."""
    cursor = transaction.connection.cursor()
    for each in statements:
        cursor.execute(each)
    cursor.close()
