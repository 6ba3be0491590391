"""A database in memory that fails when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, inspect

from stamp.store.store import Store
from stamp.store.tables import EDITION, METADATA

from .broker import nothing_happens
from .moments import Passing


class SimulatedStore(Store):
    """Calls `at` before each transaction that writes, and after it was committed; what that raises is what goes wrong."""

    at: Passing = staticmethod(nothing_happens)
    is_in_transaction = False

    def wipe(self) -> None:
        """Be as a new one: to make all tables takes longer than most tests."""
        self.at = nothing_happens
        with super().begin() as transaction:
            for name in inspect(transaction).get_table_names():
                if name not in METADATA.tables:
                    transaction.exec_driver_sql(f"DROP TABLE {name}")
            for each in METADATA.tables.values():
                if each is not EDITION:
                    transaction.execute(delete(each))

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self.at("before transaction")
        with super().begin() as transaction:
            self.is_in_transaction = True
            try:
                yield transaction
            finally:
                self.is_in_transaction = False
        self.at("after transaction")
