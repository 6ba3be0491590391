"""How messages name several things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["listed", "route"]


def listed(things: Iterable[object]) -> str:
    """Return things for a sentence: `a, b and c`."""
    *first, last = map(str, things)
    return f"{', '.join(first)} and {last}" if first else last


def route(events: Sequence[str]) -> str:
    """Return events in the order in which they follow one another."""
    return " → ".join(events)
