"""Where a store is: `sqlite:///stamp.db`, `sqlite://` in memory, `postgresql://user@host/database`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from stamp.errors import StoreError
from stamp.url import ESCAPES, NO_ESCAPE, PORTS, Secrets, is_secret, scheme_of, whole

__all__ = ["address", "file_of", "is_in_memory", "is_server", "public", "secrets"]

DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite+pysqlite": "sqlite+pysqlite",
}
SEVERAL: Final = {"host", "port"}
"""Options of PostgreSQL that may stand there several times: the servers that are tried in turn."""
MEMORY: Final = {"", ":memory:"}
"""What SQLite takes for no file."""
KNOWN: Final = "sqlite:///path/to/stamp.db or postgresql://user:password@host/database"


def address(url: str) -> URL:
    """Return `url` with the driver that we use.

    Raises:
        StoreError: it is no address of a database that we know.
    """
    expected = f"expected the address of a store, such as {KNOWN}"
    scheme = scheme_of(url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password where the parser found none, so it is not repeated.
        raise StoreError(f"{expected}, got something that is no URL; {ESCAPES}") from None
    if scheme not in DRIVERS:
        got = f"one that begins with {scheme}:" if scheme else "something that is no URL"
        raise StoreError(f"{expected}, got {got}")
    if _is_in_doubt(url, parsed):
        raise StoreError(f"{expected}, got a URL that cannot be parsed; {ESCAPES}")
    if _is_uri_without_a_file(parsed):
        raise StoreError(f"{expected}, got an SQLite URI of no file: for tests there is sqlite://, in memory")
    return parsed.set(drivername=DRIVERS[scheme])


def secrets(url: URL) -> Secrets:
    """Return what must not be seen of `url`: the password, wherever libpq takes one from."""
    options = (value for name, value in url.query.items() if is_secret(name) and isinstance(value, str))
    return Secrets([None if url.password is None else str(url.password), *options])


def _is_in_doubt(url: str, parsed: URL) -> bool:
    """Tell whether a part of a password may stand where another part of the URL should, or whether a part is none."""
    if any(not isinstance(value, str) and name not in SEVERAL for name, value in parsed.query.items()) or "\0" in url:
        return True
    if parsed.get_backend_name() == "sqlite":
        return any((parsed.username, parsed.password, parsed.host, parsed.port))
    try:
        decoded = unquote(url, errors="strict")
    except UnicodeError:
        return True
    where = f"{parsed.host or ''}{parsed.database or ''}"
    has_login = parsed.username is not None
    return (
        url.count("@") > has_login
        or "#" in where
        or bool(NO_ESCAPE.search(url))
        or not decoded.isprintable()
        or (parsed.port is not None and whole(str(parsed.port), *PORTS) is None)
    )


def _is_uri_without_a_file(url: URL) -> bool:
    """Tell whether SQLite would have what is in its own form of a URI in memory, or in a file for one connection that has no name."""
    if url.get_backend_name() != "sqlite" or "uri" not in url.query:
        return False
    database = str(url.database or "").removeprefix("file:").partition("#")[0]
    path = re.sub(r"^//[^/]*", "", unquote(database)).partition("\0")[0]
    return path in MEMORY or url.query.get("mode") == "memory" or url.query.get("vfs") == "memdb"


def public(url: URL) -> str:
    """Return `url` as it may be written into messages and logs: without a password, and without options, where libpq takes passwords, too."""
    if url.get_backend_name() == "sqlite":
        file = quote(url.database or "", safe=" +/", errors="surrogateescape")  # the bytes of a name that is no text
        return f"sqlite:///{file}" if file else "sqlite://"
    return URL.create(url.get_backend_name(), url.username, None, url.host, url.port, url.database).render_as_string()


def is_in_memory(url: URL) -> bool:
    """Tell whether `url` is an SQLite database that lives and dies with its one connection."""
    return url.get_backend_name() == "sqlite" and (url.database or "") in MEMORY


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
