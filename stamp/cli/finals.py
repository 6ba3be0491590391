"""The final events of a store, as a command reads those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from stamp.cli.catalogs import with_announced
from stamp.cli.service import open_store
from stamp.cli.source import Found, Source
from stamp.runtime.directories import StoreDirectories
from stamp.schema.catalog import Catalog
from stamp.store import finals
from stamp.workflow.workflow import system_clock

__all__ = ["finals_of"]


@contextmanager
def finals_of(store: str | None, workflow_id: str | None, catalog: Catalog) -> Iterator[Source]:
    """Return the final events of a store, or of one run in it; `catalog` gets what services have announced there.

    Raises:
        InputError: no store is wanted. StoreError: it is not there, or cannot be used.
    """
    with open_store(store, create=False) as opened:
        place = StoreDirectories(opened, system_clock)
        known = with_announced(catalog, place, place.workflows())
        # What is asked for has to be closed before its connection, also when nobody reads on.
        with opened.read() as connection, closing(finals.find(connection, workflow_id=workflow_id)) as messages:
            bodies = (Found(each.body, f"run {each.workflow_id}") for each in messages)
            yield Source(bodies, opened.url, known)
