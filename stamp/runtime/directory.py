"""The directory of a workflow, where its services find each other's contracts and listeners: written, and asked for schemas."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from time import monotonic
from typing import Final

from stamp.runtime.transport import Directory
from stamp.schema.identity import SchemaId
from stamp.schema.source import Found
from stamp.store import directory
from stamp.store.store import Store
from stamp.workflow.announcement import (
    LISTENER,
    SCHEMA,
    Announcement,
    find_schema,
    is_given_up,
    is_sound,
    listeners,
    renewed_listener,
)
from stamp.workflow.numbering import moved, moves

__all__ = ["DirectorySource", "StoreDirectory", "announce", "restore"]

LOG: Final = logging.getLogger("stamp.directory")

READING: Final = 1.0
"""How often, at most, a directory is read for the sake of unknown schemas, in seconds."""


def announce(target: Directory, own: Announcement) -> Mapping[str, str]:
    """Write the documents that a directory does not have, or has otherwise, and return all that it has then.

    A schema is known by its key, which has its id: one that differs only in its prose is not written again. One whose number another
    schema has there gets the next free number; that of a released file is logged, because people have to choose one of the two.

    Raises:
        DeliveryError, StoreError: the directory cannot be used.
    """
    there = target.read()
    for each in moves(own.documents, there):
        if each.key in own.released:
            LOG.warning(
                "%s: %s. Until then it is announced as %s.v%d", own.released[each.key], each, each.name, each.number
            )
    documents = moved(own, there).documents
    wanted = _wanted(there, documents, lambda key, text: there[key] != text and not key.startswith((SCHEMA, LISTENER)))
    for key, text in documents.items():
        for step, events in listeners({key: text}).items():
            wanted |= renewed_listener(step, events, there)
    return _write(target, there, wanted)


def restore(target: Directory, own: Announcement) -> Mapping[str, str]:
    """Write the documents that a directory has lost, and return all that it has then.

    What others have changed meanwhile stays, but for a step that they have taken out, and that is there all the same.

    Raises:
        DeliveryError, StoreError: the directory cannot be used.
    """
    there = target.read()
    documents = moved(own, there).documents
    return _write(target, there, _wanted(there, documents, lambda key, _: is_given_up(key, there[key])))


def _wanted(
    there: Mapping[str, str], documents: Mapping[str, str], is_other: Callable[[str, str], bool]
) -> dict[str, str]:
    """Return the documents that are not there, or that nobody can read as they are there, or that are another one there."""
    return {
        key: text
        for key, text in documents.items()
        if key not in there or not is_sound(key, there[key]) or is_other(key, text)
    }


def _write(target: Directory, there: Mapping[str, str], wanted: Mapping[str, str]) -> Mapping[str, str]:
    if wanted:
        target.write(wanted)
    return {**there, **wanted}


class StoreDirectory:
    """The directory in the database of a store."""

    def __init__(self, store: Store, workflow: str, clock: Callable[[], int]) -> None:
        self._store, self._workflow, self._clock = store, workflow, clock

    def version(self) -> Hashable:
        """Return the documents themselves: a store is asked for its listeners within each transaction anyway."""
        return tuple(self.read().items())

    def read(self) -> Mapping[str, str]:
        """Return all documents by their keys.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._store.read() as connection:
            return {key: each.text for key, each in directory.read(connection, self._workflow).items()}

    def write(self, documents: Mapping[str, str]) -> None:
        """Keep documents.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._store.begin() as tx:
            directory.write(tx, self._workflow, documents, now=self._clock())

    def close(self) -> None:
        """Do nothing: the store stays open."""


class DirectorySource:
    """A source of schemas: what has been announced in a directory, which is read at most once a second.

    What is found is handed to `keep`, for a store that shall have it, too.
    """

    def __init__(
        self,
        connect: Callable[[], Directory],
        workflow: str,
        *,
        keep: Callable[[Mapping[str, str]], object] = dict,
    ) -> None:
        self._connect, self._workflow, self._keep = connect, workflow, keep
        self._read_at = float("-inf")
        self._documents: Mapping[str, str] = {}

    def lookup(self, schema_id: SchemaId) -> Found | None:
        """Return a schema that was announced.

        Raises:
            DeliveryError, StoreError: the directory cannot be used.
        """
        if monotonic() - self._read_at >= READING:
            self._read_at = monotonic()
            with closing(self._connect()) as target:
                self._documents = target.read()
        found = find_schema(self._documents, schema_id, self._workflow)
        if found is not None:
            self._keep({key: text for key, text in self._documents.items() if key.startswith(f"{SCHEMA}{schema_id}/")})
        return found
