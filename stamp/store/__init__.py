"""What survives a crash: work that came in, events that go out, dead letters and final events.

One database, SQLite or PostgreSQL, through SQLAlchemy Core. What is done together is one transaction of the caller's.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stamp.store.store import Store

__all__ = ["Store"]


def __getattr__(name: str) -> Any:
    """Import the store when it is asked for (PEP 562): SQLAlchemy takes longer than all the rest, and a message needs none of it."""
    if name != "Store":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.store").Store
