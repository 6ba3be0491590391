"""Messages on their way, and what may happen to them there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final, TypeAlias

from stamp.store.message import Message
from stamp.testing.clock import VirtualClock

__all__ = ["Broker", "Sent"]

Sent: TypeAlias = tuple[str, Message]
"""A message, and the step that it is for."""

JOURNEY: Final = 100, 50_000
"""How long a message takes, at least and at most, in microseconds."""


class Broker:
    """Loses nothing, and delivers in turn, but for two probabilities: `duplicate` that a message comes twice, `reorder` that another one comes first."""

    def __init__(self, random: Random, clock: VirtualClock, *, duplicate: float, reorder: float) -> None:
        self._random, self._clock = random, clock
        self._duplicate, self._reorder = duplicate, reorder
        self._sent: list[Sent] = []

    @property
    def sent(self) -> Sequence[Sent]:
        """What has not been delivered yet."""
        return self._sent

    def send(self, step: str, message: Message) -> None:
        """Take a message for a step."""
        copies = 2 if self._random.random() < self._duplicate else 1
        self._sent += [(step, message)] * copies

    def deliver(self) -> Sent:
        """Let the time of a journey pass, and return the message that has arrived."""
        at = self._random.randrange(len(self._sent)) if self._random.random() < self._reorder else 0
        self._clock.advance(timedelta(microseconds=self._random.randint(*JOURNEY)))
        return self._sent.pop(at)
