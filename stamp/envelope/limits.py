"""Bounds on what is decoded from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["LIMITS", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an envelope may be; sizes in bytes.

    The default for `message` is what SQS takes (262,144 bytes), the smallest of the brokers that stamp knows.
    """

    message: int = 256 * 1024
    contributions: int = 256
    contribution: int = 64 * 1024

    def widest(self, other: Limits) -> Limits:
        """Return limits within which everything is that is within either."""
        return Limits(
            max(self.message, other.message),
            max(self.contributions, other.contributions),
            max(self.contribution, other.contribution),
        )


LIMITS: Final = Limits()
