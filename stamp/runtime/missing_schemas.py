"""The writer schemas that messages of a worker wait for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Final

from stamp.errors import UnknownSchemaError
from stamp.runtime.settlement import LONGEST

__all__ = ["MissingSchemas"]

LOG: Final = logging.getLogger("stamp.schemas")

TELLING: Final = 60.0
"""How often it is said of a schema that it is missing, in seconds."""

FORGETTING: Final = 3 * LONGEST / 1e6
"""After how many seconds in which no message has asked for a schema nobody waits for it any more: others have done what waited."""


@dataclass
class _Missing:
    error: UnknownSchemaError
    since: float
    consumers: set[str] = field(default_factory=set)
    asked_at: float = 0.0
    told_at: float = float("-inf")


class MissingSchemas:
    """Looks again and again for schemas that were not found, and wakes what waits for one when it is there.

    `learn` looks for a schema; `wake` is called with the queues in which messages wait for it, and its id. `note` may be called by any
    thread, `turn` belongs to one.
    """

    def __init__(
        self,
        learn: Callable[[bytes], bool],
        wake: Callable[[Sequence[str], bytes], object],
    ) -> None:
        self._learn, self._wake = learn, wake
        self._lock = Lock()
        self._missing: dict[bytes, _Missing] = {}

    def note(self, consumer: str, error: UnknownSchemaError) -> None:
        """Note that a message of the queue `consumer` waits for a schema."""
        with self._lock:
            missing = self._missing.setdefault(error.schema_id, _Missing(error, monotonic()))
            missing.consumers.add(consumer)
            missing.asked_at = monotonic()

    def waited(self, schema_id: bytes) -> int:
        """Return for how long messages have waited here for a schema, in microseconds; 0 if none has."""
        missing = self._missing.get(schema_id)
        return 0 if missing is None else round((monotonic() - missing.since) * 1e6)

    def turn(self) -> None:
        """Look for what is missing.

        Raises:
            StoreError: what waits could not be woken; it is tried again.
        """
        for schema_id, missing in tuple(self._missing.items()):
            if self._learn(schema_id):
                self._wake(sorted(missing.consumers), schema_id)
                LOG.info("the schema %s is known now: what waited for it goes on", schema_id.hex())
                self._forget(schema_id)
            elif monotonic() - missing.asked_at > FORGETTING:
                self._forget(schema_id)
            elif monotonic() - missing.told_at >= TELLING:
                missing.told_at = monotonic()
                LOG.warning("%s: messages wait for a schema: %s", _queues(missing), missing.error)

    @property
    def troubles(self) -> Sequence[str]:
        """What is missing, and what to do."""
        return [f"{_queues(each)}: messages wait for a schema: {each.error}" for each in tuple(self._missing.values())]

    def _forget(self, schema_id: bytes) -> None:
        with self._lock:
            self._missing.pop(schema_id, None)


def _queues(missing: _Missing) -> str:
    return ", ".join(sorted(missing.consumers))
