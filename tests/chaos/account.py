"""The ledger against what was expected, and what there is to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from expected import Left
from found import Calls, Counts

__all__ = ["Account"]

SHOWN: Final = 5


@dataclass(frozen=True, kw_only=True)
class Account:
    """What came of a trial. Durations are in seconds.

    `ids`: works whose effects have more than one id. `fenced`: groups of works that were done too late and rolled back. `repeated`: runs
    that were started more than once. `endings`: what workers said that did not just stop. `storm`: how long something was killed or down; `pending`: effects
    that were missing then; `recovery`: how long it took until they were there, and nothing was left to do.
    """

    terms: Any
    expected: Left
    found: Left
    counts: Counts
    ids: int
    calls: Calls
    sends: tuple[int, int]
    fenced: int
    repeated: int
    pauses: int
    deaths: Mapping[str, int]
    points: Mapping[str, int]
    blows: Mapping[str, int]
    endings: Sequence[str]
    storm: float
    pending: int
    recovery: float
    duration: float

    @property
    def lost(self) -> Counter[Any]:
        """What is not there: effects, final events, dead letters."""
        return self._all(self.expected) - self._all(self.found)

    @property
    def doubled(self) -> Counter[Any]:
        """What is there more often than it should be: a run may end with the same event twice, when two branches of it fail."""
        return Counter({each: times for each, times in self._surplus().items() if each in self._all(self.expected)})

    @property
    def strange(self) -> Counter[Any]:
        """What is there and nobody expected, as often as it is."""
        return self._surplus() - self.doubled

    @property
    def completed(self) -> int:
        """How many runs left all that they had to, and nothing else."""
        odd = {each.run for kind in (self.lost, self.doubled, self.strange) for each in kind}
        return self.terms.workflows - len(odd)

    @property
    def is_wrong(self) -> bool:
        unrest = [how for how in self.deaths if how.startswith("by itself")]
        odd = self.lost or self.doubled or self.strange or self.ids or self.calls.confused
        return bool(odd or unrest or self.endings or self.counts.unfinished or self.counts.unsent)

    def _surplus(self) -> Counter[Any]:
        return self._all(self.found) - self._all(self.expected)

    @staticmethod
    def _all(left: Left) -> Counter[Any]:
        return Counter[Any]({**left.effects, **left.finals, **left.letters})

    # -- in words

    def lines(self) -> Iterator[str]:
        """Yield what there is to tell, a line each."""
        terms = self.terms
        yield f"{terms.on}{f', mutant {terms.mutant}' if terms.mutant else ''}: {terms.workflows} workflows, {terms.kills} kills, seed {terms.seed}"
        for name, value in self._rows():
            yield f"  {name:<22} {value}"
        for name in ("lost", "doubled", "strange"):
            for each, times in list(getattr(self, name).items())[:SHOWN]:
                yield f"  {name}: {times} x {each}"
        yield "  the ledger is wrong" if self.is_wrong else "  the ledger is right"

    def _rows(self) -> Iterator[tuple[str, object]]:
        yield "attempted", self.terms.workflows
        yield "completed", self.completed
        yield "lost", self.lost.total()
        yield "doubled", self.doubled.total()
        yield "strange", self.strange.total()
        yield "effects", f"{self.found.effects.total()} of {self.expected.effects.total()}"
        yield "final events", f"{self.found.finals.total()} of {self.expected.finals.total()}"
        yield "dead letters", f"{self.found.letters.total()} of {self.expected.letters.total()}"
        yield "left in inbox, outbox", f"{self.counts.unfinished}, {self.counts.unsent}"
        yield "calls of handlers", f"{self.calls.total} for {self.calls.works} works"
        yield "ids not the same", self.ids + self.calls.confused
        yield "started again", self.repeated
        yield "sent, of that again", f"{self.sends[0]}, {self.sends[1]}"
        yield "groups fenced off", self.fenced
        yield "workers killed", _told(self.deaths)
        yield "points", _told(self.points)
        yield "paused", self.pauses
        yield "servers", _told(self.blows)
        yield "workers that did not stop", ", ".join(self.endings) or "none"
        yield "recovery", f"{self.recovery:.1f} s for {self.pending} effects"
        yield "duration", f"{self.duration:.1f} s, of that {self.storm:.1f} s with deaths"


def _told(counted: Mapping[str, int]) -> str:
    told = ", ".join(f"{times} {name}" for name, times in sorted(counted.items()) if name and times)
    return f"{sum(counted.values())}: {told}" if told else "none"
