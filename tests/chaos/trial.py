"""One trial: runs are started, workers and servers die, and in the end everything is counted."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO, Final

import found
from account import Account
from crew import Crew
from expected import expect, runs
from found import Counts
from ground import GROUNDS
from mutants import MUTANTS
from schedule import blows, lives
from setting import Setting
from starter import Starter
from tickets import Books, chaotic
from troubles import Troubles

from stamp.store.store import Store

__all__ = ["Pace", "Terms", "Trial"]

TICK: Final = 0.02
GLANCE: Final = 0.2
"""How often workers are looked after, and how often the database is looked into at the end, in seconds."""
AHEAD: Final = 0.1
"""How many runs are started, of one, before the works get there."""
AT_ONCE: Final = 2
"""How many workers may die before the works get there: deaths are spread over the works, whatever time these take."""
STANDSTILL: Final = 1.0
"""After how many seconds without progress deaths go on all the same."""
AFTERMATH: Final = 2.0
"""How long to wait, when all is there, for what comes twice."""
LONGEST: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was asked for; `patience` is how many seconds without any progress mean that what is missing is lost."""

    on: str
    workflows: int
    kills: int
    seed: int
    mutant: str
    patience: float


class Pace:
    """How far the works have come, of `effects` that they leave."""

    def __init__(self, effects: int) -> None:
        self._effects = effects
        self._done = 0
        self._looked_at = self._moved_at = time.monotonic()

    def look(self, store: Store) -> None:
        """Look into the database, from time to time."""
        now = time.monotonic()
        if now - self._looked_at >= GLANCE:
            self._looked_at = now
            counts = found.count(store)
            if counts is not None and counts.effects != self._done:
                self._done, self._moved_at = counts.effects, now

    @property
    def share(self) -> float:
        """How much is done, of one."""
        return self._done / max(self._effects, 1)

    @property
    def stands_still(self) -> bool:
        return time.monotonic() - self._moved_at > STANDSTILL


class Trial:
    """Sets everything up; whatever has to be ended or removed is left with `stack`."""

    def __init__(self, stack: ExitStack, terms: Terms, folder: Path, log: IO[bytes]) -> None:
        self._terms, self._folder = terms, folder
        self._began = time.monotonic()
        self._ground = GROUNDS[terms.on](stack, folder, log)
        self._store = stack.enter_context(Store.open(self._ground.seen))
        found.prepare(self._store)
        self._setting = Setting(
            store=self._ground.store,
            broker=self._ground.broker,
            folder=str(folder),
            seed=terms.seed,
            mutant=terms.mutant,
        )
        if terms.mutant:  # first events are published from here
            MUTANTS[terms.mutant](broker=bool(self._ground.broker))
        troubles = Troubles(terms.seed)
        started = list(runs(terms.workflows))
        self._expected = expect(started, troubles)
        self._blows = list(blows(terms.seed, terms.kills, list(self._ground.parts)))
        schedule = lives(terms.seed, terms.kills, broker=bool(self._ground.broker))
        self._crew = Crew(self._setting, schedule, log)
        stack.callback(self._crew.close)
        self._starter = Starter(
            chaotic(Books(troubles, self._setting.calls)),
            started,
            store=stack.enter_context(Store.open(self._ground.store)),
            broker=self._setting.transport(),
            seed=terms.seed,
        )

    def run(self) -> Account:
        """Return what came of it."""
        began = time.monotonic()
        self._starter.start()
        self._storm()
        calm, pending = time.monotonic(), self._expected.effects.total() - self._counted().effects
        counts, quiet = self._wait_for_quiet()
        said = self._crew.stop()
        left, ids = found.find(self._store)
        return Account(
            terms=self._terms,
            expected=self._expected,
            found=left,
            counts=counts,
            ids=sum(len(each) > 1 for each in ids.values()),
            calls=found.calls(self._setting.calls),
            sends=found.sends(self._setting.sends),
            fenced=(self._folder / "log").read_text(errors="replace").count("works took longer than their lease"),
            repeated=self._starter.repeated,
            pauses=self._crew.pauses,
            deaths=self._crew.deaths,
            points=self._crew.points,
            blows=self._ground.blows,
            endings=[each for each in said if each != "stopped"],
            pending=pending,
            storm=calm - began,
            recovery=quiet - calm,
            duration=time.monotonic() - self._began,
        )

    def _storm(self) -> None:
        """Kill, until the schedule is through, all runs are started, and everything is up."""
        dice, kills, pace = (
            Random(f"{self._terms.seed}:ground"),
            self._terms.kills,
            Pace(self._expected.effects.total()),
        )
        while not (self._crew.is_at_peace and self._starter.is_done and not self._blows and self._ground.is_whole):
            dead = self._crew.deaths.total()
            self._tend()
            pace.look(self._store)
            self._crew.allowed = max(int(pace.share * kills) + AT_ONCE, dead + pace.stands_still)
            self._starter.allow(int((dead / max(kills, 1) + AHEAD) * self._terms.workflows))
            while self._blows and dead >= self._blows[0].at * kills:
                blow = self._blows.pop(0)
                self._ground.strike(blow.part, blow.how, dice)
            time.sleep(TICK)

    def _counted(self) -> Counts:
        """Return what is there, as soon as the database says it."""
        while (counts := found.count(self._store)) is None:
            self._tend()
            time.sleep(TICK)
        return counts

    def _tend(self) -> None:
        self._crew.tend()
        self._ground.tend()
        if self._starter.failure is not None:
            raise self._starter.failure
        if time.monotonic() - self._began > LONGEST:
            raise TimeoutError(f"not over after {LONGEST:g} s")

    def _wait_for_quiet(self) -> tuple[Counts, float]:
        """Wait until all is there and nothing is left to do, or nothing happens any more; return what is there, and since when."""
        counts, since = Counts(0, 0, 0, 0, 0), time.monotonic()
        while True:
            self._tend()
            now = self._counted()
            if now != counts:
                counts, since = now, time.monotonic()
            enough = AFTERMATH if counts.has_all(self._expected) else self._terms.patience
            if time.monotonic() - since > enough:
                return counts, since
            time.sleep(GLANCE)
