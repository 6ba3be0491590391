"""Where a writer schema may be found that a catalog does not have yet.

A catalog is a value; what lies behind it changes: a folder gets a file, another service tells of a new version. Each such place is a source, and a
schema registry can be one, too.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple, Protocol

from stamp.schema.catalog import Catalog
from stamp.schema.identity import SchemaId
from stamp.schema.names import Schema
from stamp.schema.release import Origin

__all__ = ["FolderSource", "Found", "SchemaSource"]

REREAD: Final = 1.0
"""How often, at most, a folder is read again, in seconds."""


class Found(NamedTuple):
    """A schema that a source has, and where it comes from; whoever asked checks that it has the SchemaId that was asked for."""

    schema: Schema
    origins: tuple[Origin, ...] = ()


class SchemaSource(Protocol):
    """A place to look for the schemas that other services write with."""

    def lookup(self, schema_id: SchemaId) -> Found | None:
        """Return the schema of a SchemaId, or None if this source does not have it now.

        Raises:
            StampError: the source cannot be used.
        """


class FolderSource:
    """A folder of contracts that somebody may have put a file into. It is read at most once a second, whoever asks for what."""

    def __init__(
        self, path: str | PathLike[str], *, workflow: str | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._path, self._workflow, self._clock = Path(path), workflow, clock
        self._catalog = Catalog()
        self._read_at = float("-inf")

    def lookup(self, schema_id: SchemaId) -> Found | None:
        """Return a schema of the folder.

        Raises:
            ContractError, SchemaError: the folder is not in order.
        """
        if schema_id not in self._catalog and self._clock() - self._read_at >= REREAD:
            self._read_at = self._clock()
            if self._path.is_dir():
                self._catalog = Catalog.from_folder(self._path, workflow=self._workflow)
        entry = self._catalog.get(schema_id)
        return None if entry is None else Found(entry.schema, entry.origins)
