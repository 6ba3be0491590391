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
        self._is_marked = False

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

    def mark(self) -> Connection:
        """Return the transaction, marked so that what is written from now on can be taken back, and nothing before.

        Raises:
            StoreError: the database does not let us begin one.
        """
        transaction = self.transaction
        self._say(*(KEEP, MARK) if self._is_marked else (MARK,))
        self._is_marked = True
        return transaction

    def undo(self) -> None:
        """Take back what was written since the last mark.

        Raises:
            StoreError: the transaction as a whole is lost.
        """
        self._say(UNDO)

    def keep(self) -> None:
        """Let nothing be taken back any more of what handlers wrote.

        Raises:
            StoreError: the last of them has ended the transaction.
        """
        if self._is_marked:
            self._is_marked = False
            self._say(KEEP)

    def _say(self, *statements: str) -> None:
        """Say it to the driver itself: SQLAlchemy takes ten times as long for it as SQLite does; and in one go, where that is possible."""
        together = self.transaction.dialect.name != "sqlite"
        try:
            cursor = self.transaction.connection.cursor()
            for each in ("; ".join(statements),) if together else statements:
                cursor.execute(each)
            cursor.close()
        except Exception as error:  # each driver has its own; whatever it is, the transaction is of no use any more
            text = "expected a handler to leave its transaction open, got one that cannot go on"
            raise StoreError(f"{text}: {error}") from error


MARK: Final = "SAVEPOINT stamp_work"
UNDO: Final = "ROLLBACK TO SAVEPOINT stamp_work"
KEEP: Final = "RELEASE SAVEPOINT stamp_work"


class Effects:
    """What the handler of one work writes; calling it gives the transaction to write with."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._has_begun = False

    def __call__(self) -> Connection:
        """Return the transaction; what is written from the first call on can be taken back."""
        if self._has_begun:
            return self._group.transaction
        transaction = self._group.mark()
        self._has_begun = True
        return transaction

    def undo(self) -> None:
        """Take back what was written."""
        if self._has_begun:
            self._has_begun = False
            self._group.undo()


def _refuse_to_commit() -> NoReturn:
    raise StampError("expected a handler to leave its transaction to the worker, which commits it, got commit()")
