"""The final events of a store, as a command reads those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stamp.cli.service import open_store
from stamp.cli.source import Found
from stamp.store import finals

__all__ = ["finals_of"]


@contextmanager
def finals_of(store: str | None, workflow_id: str | None) -> Iterator[tuple[Iterator[Found], str]]:
    """Return the final events of a store, or of one run in it, and what the store is called in messages.

    Raises:
        InputError: no store is wanted. StoreError: it is not there, or cannot be used.
    """
    with open_store(store, create=False) as opened, opened.read() as connection:
        messages = finals.find(connection, workflow_id=workflow_id)
        yield (Found(each.body, f"run {each.workflow_id}") for each in messages), opened.url
