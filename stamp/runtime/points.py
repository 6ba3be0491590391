"""The points between which a worker can die, by name: what a test of crashes hooks into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["POINTS", "Passing", "pass_by"]

ACTIONS: Final = ("receive", "handle", "commit", "publish", "confirm", "mark", "acknowledge")

POINTS: Final = tuple(f"{when} {action}" for action in ACTIONS for when in ("before", "after"))
"""Receive from the broker; handle; commit inbox, effects and outbox; publish, and have it confirmed; mark that in the outbox; acknowledge."""

Passing: TypeAlias = Callable[[str], None]
"""Called with a name of POINTS by a worker that gets there."""


def pass_by(point: str) -> None:
    """Go on: what a worker does at a point when nobody tests it."""
