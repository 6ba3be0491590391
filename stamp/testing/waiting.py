"""An event that has not been answered yet, for people who ask why a run does not go on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from stamp.store.message import Message

__all__ = ["Waiting", "waiting"]


class Waiting(NamedTuple):
    """An event of a run that waits for a step, and `reason`, why it does; `until` is when the next attempt is made, if that is known."""

    step: str
    event: str
    workflow_id: str
    event_id: bytes
    reason: str
    until: datetime | None = None

    def __str__(self) -> str:
        time = "" if self.until is None else f" until {self.until.isoformat()}"
        return f"{self.event} of the run {self.workflow_id!r} waits for {self.step}{time}: {self.reason}"


def waiting(step: str, message: Message, reason: str, *, until: datetime | None = None) -> Waiting:
    """Return that a message waits for a step."""
    return Waiting(step, message.event, message.workflow_id, message.event_id, reason, until)
