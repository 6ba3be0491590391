"""Dead letters in a broker: where they go, and what is written on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["dead", "marked"]

REASON: Final = "stamp-reason"
REASON_LARGEST: Final = 2_000


def dead(queue: str) -> str:
    """Return the name of the dead letter queue of `queue`."""
    return f"{queue}.dead"


def marked(headers: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return `headers` with the reason why their message is a dead letter."""
    return {**headers, REASON: reason[:REASON_LARGEST]}
