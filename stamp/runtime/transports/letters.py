"""Dead letters in a broker: where they go, what is written on them, and how they are told to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from stamp.envelope.limits import Limits
from stamp.runtime.arrival import opened
from stamp.runtime.graveyard import Dead
from stamp.runtime.reason import read
from stamp.runtime.transport import Arrival

__all__ = ["ANY_SIZE", "REASON", "dead", "exhumed", "marked", "unmarked"]

REASON: Final = "stamp-reason"
REASON_LARGEST: Final = 4_000

ANY_SIZE: Final = Limits(message=2**31, contributions=2**16, contribution=2**31)
"""What was refused for its size has the id that is in it all the same."""


def dead(queue: str) -> str:
    """Return the name of the dead letter queue of `queue`."""
    return f"{queue}.dead"


def marked(headers: Mapping[str, str], reason: str) -> dict[str, str]:
    """Return `headers` with the reason why their message is a dead letter."""
    return {**headers, REASON: reason[:REASON_LARGEST]}


def unmarked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` as the sender wrote them."""
    return {name: value for name, value in headers.items() if name != REASON}


def exhumed(arrival: Arrival, queue: str, tag: Any) -> Dead:
    """Return a dead letter of `queue` that was read as `arrival`; `tag` is the place's own."""
    alive = replace(arrival, queue=queue, headers=unmarked(arrival.headers))
    message, _ = opened(alive, queue.partition(".")[0], ANY_SIZE)
    return Dead(queue, message, read(arrival.headers.get(REASON, "unknown")), tag=tag)
