"""What all workers of a trial have in common, and what one of them is to do: passed between processes as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from troubles import ATTEMPTS

from stamp.runtime.policy import Policy
from stamp.runtime.retry import Retry
from stamp.runtime.transport import Transport

__all__ = ["LEASE", "POLICY", "RESEND", "Orders", "Setting"]

LEASE: Final = 2.0
RESEND: Final = 1.0

POLICY: Final = Policy(
    lease=LEASE, resend=RESEND, retry=Retry(attempts=ATTEMPTS, first=0.05, longest=0.5), prefetch=50, grace=15.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`store` and `broker` are URLs, no broker an empty one; `folder` is where processes leave their marks."""

    store: str
    broker: str
    folder: str
    seed: int
    mutant: str

    def transport(self) -> Transport | None:
        """Return the broker, if there is one."""
        if self.broker.startswith("amqp:"):
            from stamp.runtime.transports.rabbitmq import RabbitMQ

            return RabbitMQ(self.broker)
        if self.broker.startswith("redis:"):
            from stamp.runtime.transports.redis import Redis

            return Redis(self.broker)
        return None

    @property
    def calls(self) -> Path:
        """Where every call of a handler is a line."""
        return Path(self.folder) / "calls"

    @property
    def sends(self) -> Path:
        """Where every group that was handed to a broker is a line: how many messages, and how many of those again."""
        return Path(self.folder) / "sends"

    def json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What one worker is to do: perform `steps`, and send itself a `signal` when it passes `point` for the `passing`th time, if there is a point."""

    name: str
    steps: Sequence[str]
    point: str = ""
    passing: int = 0
    signal: int = 0

    def json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(**json.loads(text))
