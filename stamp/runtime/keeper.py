"""What has to be done from time to time: renew leases, and forget what is long done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from stamp.runtime.performer import Performer
from stamp.store import inbox, retention
from stamp.store.store import Store
from stamp.store.work import Work

__all__ = ["Keeper"]

LOG: Final = logging.getLogger("stamp.keeper")

PRUNING: Final = 60.0
"""How often old rows are deleted, in seconds."""

PRUNED: Final = 5_000
"""How many rows one transaction deletes."""


class Keeper:
    """Keeps the works of living performers theirs, and the database small. `turn` belongs to one thread. `renew` is called in each of them.

    `lease`, `horizon` and `patience` are in microseconds: for how long works are taken; how long repeats are known and final events
    kept; how long one handler may take before somebody else may try (None: any time). A handler cannot be stopped, but what it does after
    that is not recorded.
    """

    def __init__(
        self,
        store: Store,
        performers: Sequence[Performer],
        *,
        renew: Callable[[], None],
        clock: Callable[[], int],
        lease: int,
        horizon: int,
        patience: int | None = None,
    ) -> None:
        self._store, self._performers, self._renew, self._clock = store, performers, renew, clock
        self._lease, self._horizon, self._patience = lease, horizon, patience
        self._seen: dict[tuple[int, int], int] = {}
        self._given_up: set[tuple[int, int]] = set()
        self._pruned = float("-inf")

    @property
    def pause(self) -> float:
        """How long to wait between turns, in seconds: a third of a lease."""
        return self._lease / 3_000_000

    def turn(self) -> None:
        """Renew and prune.

        Raises:
            StoreError: the database cannot be used.
        """
        works = self._renewable()
        if works:
            with self._store.begin() as transaction:
                inbox.extend(transaction, works, until=self._clock() + self._lease)
        self._renew()
        if monotonic() - self._pruned >= PRUNING and self._prune() < PRUNED:
            self._pruned = monotonic()

    def _renewable(self) -> Sequence[Work]:
        """Return the works that are held, without those that are held for too long."""
        now, held = self._clock(), [work for performer in self._performers for work in performer.held]
        self._seen = {(work.number, work.fence): self._seen.get((work.number, work.fence), now) for work in held}
        if self._patience is None:
            return held
        late = [work for work in held if now - self._seen[work.number, work.fence] > self._patience]
        self._tell(late)
        return [work for work in held if work not in late]

    def _tell(self, late: Sequence[Work]) -> None:
        """Say once of each work that its time is over."""
        for work in late:
            if (work.number, work.fence) not in self._given_up:
                text = "%s: held for more than %.0f s: its lease ends, and another attempt may begin"
                seconds = (self._patience or 0) / 1e6
                LOG.error(text, work.consumer, seconds, extra={"workflow_id": work.message.workflow_id})
        self._given_up = {(work.number, work.fence) for work in late}

    def _prune(self) -> int:
        """Delete some old rows, and return how many; for so long only that leases are renewed in time."""
        until = monotonic() + self.pause / 2
        count = PRUNED
        while count == PRUNED and monotonic() < until:
            with self._store.begin() as transaction:
                count = retention.prune(transaction, before=self._clock() - self._horizon, limit=PRUNED)
        return count
