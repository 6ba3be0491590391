"""Several works in one transaction, so that one flush to the disk serves them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, NestedTransaction
from sqlalchemy.exc import SQLAlchemyError

from stamp.errors import StoreError
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
    def transaction(self) -> Connection:
        """The transaction.

        Raises:
            StoreError: the database does not let us begin one.
        """
        if self._transaction is None:
            self._transaction = self._stack.enter_context(self._store.begin())
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
        self._savepoint: NestedTransaction | None = None

    def __call__(self) -> Connection:
        """Return the transaction; what is written from the first call on can be taken back."""
        transaction = self._group.transaction
        if self._savepoint is None:
            self._savepoint = transaction.begin_nested()
        return transaction

    def undo(self) -> None:
        """Take back what was written."""
        self._end(NestedTransaction.rollback)

    def keep(self) -> None:
        """Leave what was written to the group, which commits it."""
        self._end(NestedTransaction.commit)

    def _end(self, how: Callable[[NestedTransaction], None]) -> None:
        savepoint, self._savepoint = self._savepoint, None
        if savepoint is None:
            return
        ended = not savepoint.is_active
        try:
            how(savepoint)
        except SQLAlchemyError as error:
            raise StoreError(f"the transaction of a handler cannot be ended: {error}") from error
        if ended:
            raise StoreError("expected a handler to leave the transaction open, got it committed or rolled back")
