"""PostgreSQL: a store that services on many machines share."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from stamp.errors import StoreError

__all__ = ["connect", "is_locked", "is_mistake", "is_refusal"]

DEFAULTS: Final = {
    "application_name": "stamp",
    "connect_timeout": "10",
    # A server that is gone without a word is noticed after a minute, and not when the system gives up after two hours.
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Parameters of libpq that are set unless the address says something else."""

INSUFFICIENT_PRIVILEGE: Final = "42501"
LOCK_NOT_AVAILABLE: Final = "55P03"
"""What PostgreSQL calls them (its Appendix A)."""

PARAMETER: Final = re.compile(r"^connection is bad: (.* failed: )?invalid (\w+ value|port number)\b")
"""What libpq says of a parameter before it asks a server."""

ENCODING: Final = "UTF8"
FIXED: Final = {"prepare_threshold": None, "client_encoding": ENCODING}
"""What no address, and no environment, may set otherwise."""


def connect(url: URL) -> Engine:
    """Return an engine for `url`.

    Raises:
        StoreError: the driver is not installed. When it connects: the database has an encoding that lacks letters.
    """
    arguments = {name: value for name, value in DEFAULTS.items() if name not in url.query}
    try:
        engine = create_engine(
            url,
            # Never prepared: plans are made by the size that tables have now, and a pool of connections in between does no harm.
            connect_args={**arguments, **FIXED},
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            pool_use_lifo=True,
            max_overflow=-1,  # there are as many connections as threads, and none may wait for another
        )
    except ImportError as error:
        raise StoreError(
            f"a store at postgresql:// needs psycopg: pip install 'stamp-coupling[postgresql]' ({error})"
        ) from error
    event.listen(engine, "connect", _must_take_any_text)
    return engine


def _must_take_any_text(connection: Any, _: object) -> None:
    encoding = connection.info.parameter_status("server_encoding")  # it tells so when we connect
    if encoding != ENCODING:
        database = connection.info.dbname
        connection.close()
        raise StoreError(
            f"expected a database with the encoding {ENCODING}, got {database!r} with {encoding}, which lacks letters that ids and texts of "
            f"errors may have: CREATE DATABASE ... TEMPLATE template0 ENCODING '{ENCODING}'"
        )


def is_mistake(error: BaseException) -> bool:
    """Tell whether libpq does not understand a parameter. What a server says may be otherwise when it is asked again: a role, a database may come."""
    is_known = isinstance(error, ProgrammingError) or PARAMETER.search(str(getattr(error, "orig", error)))
    return _code(error) is None and bool(is_known)


def is_refusal(error: BaseException) -> bool:
    """Tell whether the server refuses because the role lacks a right."""
    return _code(error) == INSUFFICIENT_PRIVILEGE


def is_locked(error: BaseException) -> bool:
    """Tell whether others had a lock for longer than we were to wait."""
    return _code(error) == LOCK_NOT_AVAILABLE


def _code(error: BaseException) -> object:
    return getattr(getattr(error, "orig", error), "sqlstate", None)
