"""How long each step of a workflow waited and worked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from stamp.envelope.contribution import Contribution, Outcome
from stamp.schema.values import duration, instant

__all__ = ["Moment", "timeline"]


class Moment(NamedTuple):
    """One contribution in time.

    `queued` is the time from the latest of its causes to its receipt, `working` from there to its completion, and `total` from the
    start of the workflow to its completion. Clocks of several machines can make `queued` negative; it is shown as it is.
    """

    step: str
    event: str
    outcome: Outcome
    received_at: datetime
    queued: timedelta
    working: timedelta
    total: timedelta


def timeline(contributions: Iterable[Contribution], started_at: int) -> list[Moment]:
    """Return the moments of a workflow that began at `started_at` (microseconds since 1970 UTC), in causal order."""
    completed: dict[bytes, int] = {}
    moments = []
    for each in contributions:
        caused_at = max((completed[cause] for cause in each.causes if cause in completed), default=started_at)
        completed[each.event_id] = each.completed_at
        moments.append(
            Moment(
                each.step,
                each.event,
                each.outcome,
                instant(each.received_at),
                duration(each.received_at - caused_at),
                duration(each.completed_at - each.received_at),
                duration(each.completed_at - started_at),
            )
        )
    return moments
