"""A queue as a stream with one consumer group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.transports.redis.line import Line

__all__ = ["GROUP", "declare"]

GROUP: Final = "stamp"


def declare(line: Line, keys: Iterable[str]) -> None:
    """Create the stream and the group of each key, unless it is there; a new group gets what the stream holds already.

    Raises:
        DeliveryError: a key holds something else than a stream, or the server refuses.
    """
    for answer in line.try_to(*(("XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM") for key in keys)):
        if isinstance(answer, DeliveryError) and not str(answer.__cause__).startswith("BUSYGROUP"):
            raise answer
