"""The documents of a workflow, beside its queues."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from stamp.runtime.transports.virtual.access import Access

__all__ = ["VirtualDirectory"]


class VirtualDirectory:
    """Reads and writes documents of `workflow`."""

    def __init__(self, access: Access, workflow: str) -> None:
        self._access = access
        self._workflow = workflow

    def version(self) -> Hashable:
        """Return a value that is another one after every change.

        Raises:
            DeliveryError: the place failed.
        """
        with self._access.use() as place:
            return place.version(self._workflow)

    def read(self) -> Mapping[str, str]:
        """Return all documents by their keys.

        Raises:
            DeliveryError: the place failed.
        """
        with self._access.use() as place:
            return place.documents(self._workflow)

    def write(self, documents: Mapping[str, str]) -> None:
        """Keep documents, each in place of the earlier one of its key.

        Raises:
            DeliveryError: the place failed.
        """
        with self._access.use() as place:
            if documents:
                place.keep(self._workflow, documents)

    def close(self) -> None:
        """Let go of the place."""
        self._access.close()
