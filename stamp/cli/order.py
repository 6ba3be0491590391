"""In which order to deploy what has changed, as it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stamp.ripple import Rollout

__all__ = ["Order"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """The ways from `baselines`, by their names, to the contracts in `schemas`: one rollout for each workflow that has changed.

    `errors` is how many errors a check finds beside them, which no order mends.
    """

    schemas: Path
    baselines: tuple[str, ...]
    rollouts: tuple[Rollout, ...]
    errors: int = 0

    @property
    def is_safe(self) -> bool:
        """Whether there is a safe order for each of them."""
        return all(rollout.is_safe for rollout in self.rollouts)
