"""Where a store is: `sqlite:///stamp.db`, `sqlite://` in memory, `postgresql://user@host/database`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from stamp.errors import StoreError

__all__ = ["address", "file_of", "is_in_memory", "is_server", "public"]

DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite+pysqlite": "sqlite+pysqlite",
}
KNOWN: Final = "sqlite:///path/to/stamp.db or postgresql://user:password@host/database"


def address(url: str) -> URL:
    """Return `url` with the driver that we use.

    Raises:
        StoreError: it is no address of a database that we know.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password where the parser found none, so it is not repeated.
        raise StoreError(f"expected the address of a store, such as {KNOWN}, got something that is no URL") from None
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise StoreError(
            f"expected the address of a store, such as {KNOWN}, got one that begins with {parsed.drivername}:"
        )
    return parsed.set(drivername=driver)


def public(url: URL) -> str:
    """Return `url` as it may be written into messages and logs: without a password, and without options, where libpq takes passwords, too."""
    return url.set(drivername=url.get_backend_name(), password=None, query={}).render_as_string()


def is_in_memory(url: URL) -> bool:
    """Tell whether `url` is an SQLite database that lives and dies with its one connection."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def file_of(url: URL) -> Path | None:
    """Return the file that `url` is, None if it is no path of one: of a server, in memory, or in SQLite's own form of a URI."""
    if url.get_backend_name() != "sqlite" or is_in_memory(url) or str(url.database).startswith("file:"):
        return None
    return Path(str(url.database))


def is_server(url: str) -> bool:
    """Tell whether `url` is of a database server: it may be down, or not up yet.

    Raises:
        StoreError: it is no address of a database that we know.
    """
    return address(url).get_backend_name() == "postgresql"
