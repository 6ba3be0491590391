"""A database as a transport."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from stamp.errors import InputError, StoreError
from stamp.runtime.transport import Promises
from stamp.runtime.transports.sql.place import LONGEST_LEASE, TablePlace
from stamp.runtime.transports.virtual import Virtual
from stamp.runtime.transports.virtual.receiver import BEAT
from stamp.runtime.transports.virtual.sender import LARGEST
from stamp.store import postgresql, sqlite
from stamp.store.address import address, is_in_memory, public, secrets

__all__ = ["Sql"]

ENGINES: Final = {"sqlite": sqlite.connect, "postgresql": postgresql.connect}
MISTAKES: Final = {"sqlite": sqlite.is_mistake, "postgresql": postgresql.is_mistake}
REDELIVER: Final = "redeliver"
LEAST, USUAL, MOST = 1.0, 30.0, LONGEST_LEASE


class Sql(Virtual):
    """The database at `url`: `sqla+postgresql://user:password@host/database?redeliver=30` or `sqla+sqlite:///queues.db`.

    `redeliver`: after how many seconds without a sign of life a consumer counts as dead.

    Raises:
        InputError: `url` is none, or its driver is not installed.
    """

    failures = (SQLAlchemyError, StoreError, TypeError, ValueError)

    def __init__(self, url: str) -> None:
        self._url, self._redeliver = _parse(url.partition("+")[2])
        super().__init__(f"sqla+{public(self._url)}", secrets(self._url))

    @property
    def promises(self) -> Promises:
        """What it promises. A confirm means that the message is committed."""
        return Promises(
            keeps=True,
            returns=True,
            redelivers=self._redeliver + BEAT,
            buries=True,
            between_processes=True,
            largest=LARGEST,
        )

    def _open(self) -> TablePlace:
        return TablePlace(ENGINES[self._url.get_backend_name()](self._url), self._redeliver)

    def _is_mistake(self, error: Exception) -> bool:
        """Tell it from a server that is not there, or does not let us in, yet; a file is on this machine, and there or not."""
        if isinstance(error, DBAPIError):
            return MISTAKES[self._url.get_backend_name()](error)
        return True  # of options, of an encoding, of a library: nobody has to connect to know


def _parse(url: str) -> tuple[URL, float]:
    try:
        where = address(url)
    except StoreError as error:
        raise InputError(f"after sqla+ {error}") from None
    if is_in_memory(where):
        raise InputError(
            "expected a file after sqla+sqlite:///, because each connection would have a memory of its own; or use memory://"
        )
    text = where.query.get(REDELIVER, str(USUAL))
    try:
        seconds = float(str(text))
    except ValueError:
        seconds = 0.0
    if not LEAST <= seconds <= MOST:
        raise InputError(f"expected between {LEAST:g} and {MOST:g} seconds for {REDELIVER}, got {text}")
    try:
        where.get_dialect().import_dbapi()
    except ImportError as error:
        raise InputError(
            f"expected {error.name}, which PostgreSQL needs: pip install 'stamp-coupling[postgresql]'"
        ) from error
    return where.difference_update_query([REDELIVER]), seconds
