"""Which works have trouble, and of what kind: always the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from stamp import Fail

__all__ = ["ATTEMPTS", "Kind", "Trouble", "Troubles"]

ATTEMPTS: Final = 5
STUMBLES: Final = 2
"""How often a handler may raise, and how often one that stumbles does: an attempt that the database did not live through counts, too."""


class Kind(StrEnum):
    """What goes wrong with a work."""

    NOTHING = "nothing"
    STUMBLE = "stumble"
    """Its handler raises at first, and then succeeds."""
    FAIL = "fail"
    """Its handler says that it cannot succeed: the step's failure event goes out."""
    EXHAUST = "exhaust"
    """Its handler raises at every attempt: a dead letter, and the failure event."""


SHARES: Final = {Kind.STUMBLE: 0.12, Kind.FAIL: 0.02, Kind.EXHAUST: 0.01}


class TroubleError(Exception):
    """What a handler raises that will be tried again."""


class Trouble(NamedTuple):
    """The trouble of one work. `is_late`: it comes when the effect is written already, which must be taken back then."""

    kind: Kind = Kind.NOTHING
    times: int = 0
    is_late: bool = False

    @property
    def is_lasting(self) -> bool:
        """Whether the work never succeeds."""
        return self.kind in {Kind.FAIL, Kind.EXHAUST}

    def strike(self, attempt: int) -> None:
        """Raise what the handler raises at `attempt`, which counts from 1; nothing if this one goes well."""
        if self.kind is Kind.FAIL:
            raise Fail("nobody can do that")
        if self.kind is Kind.EXHAUST or (self.kind is Kind.STUMBLE and attempt <= self.times):
            raise TroubleError(f"attempt {attempt} of {self.times or 'all'}")


@dataclass(frozen=True, slots=True)
class Troubles:
    """The troubles of all works."""

    seed: int

    def of(self, run: str, step: str, *, lasting: bool = True) -> Trouble:
        """Return the trouble of what `step` does in `run`; only such that passes unless it may be `lasting`."""
        dice = Random(f"{self.seed}:{run}:{step}")
        thrown = dice.random()
        for kind, share in SHARES.items():
            if thrown < share and (lasting or kind is Kind.STUMBLE):
                return Trouble(kind, dice.randint(1, STUMBLES) if kind is Kind.STUMBLE else 0, dice.random() < 0.5)
            thrown -= share
        return Trouble()
