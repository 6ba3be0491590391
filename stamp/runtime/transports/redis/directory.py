"""The documents of a workflow, as fields of a hash."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final
from uuid import uuid4

from stamp.runtime.transports.redis.line import Line

__all__ = ["RedisDirectory"]

VERSION: Final = b""
"""The field that is a new one whenever something is written. Not a number: a hash that was deleted would begin to count anew."""


class RedisDirectory:
    """Reads and writes the hash at `key`."""

    def __init__(self, line: Line, key: str) -> None:
        self._line = line
        self._key = key

    def version(self) -> Hashable:
        """Return a value that is another one after every change.

        Raises:
            DeliveryError: the connection failed, or the server refuses.
        """
        (version,) = self._line.ask(("HGET", self._key, VERSION))
        found: bytes | None = version
        return found

    def read(self) -> Mapping[str, str]:
        """Return all documents by their keys.

        Raises:
            DeliveryError: as for `version`.
        """
        (flat,) = self._line.ask(("HGETALL", self._key))
        fields = zip(flat[::2], flat[1::2], strict=True)
        return {key.decode(errors="replace"): text.decode(errors="replace") for key, text in fields if key != VERSION}

    def write(self, documents: Mapping[str, str]) -> None:
        """Keep documents and their version by one command, so nobody ever sees the ones without the other.

        Raises:
            DeliveryError: as for `version`.
        """
        fields = {VERSION.decode(): uuid4().hex, **documents}
        self._line.ask(("HSET", self._key, *(part for field in fields.items() for part in field)))

    def close(self) -> None:
        """Close the connection."""
        self._line.close()
