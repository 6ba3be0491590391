"""Trials: safe changes one after the other on one system, and an unsafe one on a system of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from change import Change, Modules
from expected import Expected
from forks import Forks
from found import Found
from ground import GROUNDS
from modules import BASE, STARTING
from review import Review
from safe import LAYOUT
from system import Run, System

__all__ = ["Row", "Terms", "safe", "unsafe"]

GLANCE: Final = 0.3
"""How often the stores are looked into, in seconds."""
LONGEST: Final = 120.0
"""How long anything may take that has to come."""
WARM: Final = 5
"""How many runs must have ended before an unsafe change."""
GOES_ON: Final = 4.0
"""For how many seconds runs are started after an unsafe change that has done no harm yet."""
STANDSTILL: Final = 6.0
LOST: Final = 30.0
"""After how many seconds without any progress what is missing is lost: after a change that is called unsafe or safe."""
AFTERMATH: Final = 2.0
"""How long to wait, when all is there, for what comes twice."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which ground, how many runs are started in a second, and whether old instances come back while new ones are there."""

    on: str
    rate: float
    restarts: bool


@dataclass(kw_only=True)
class Row:
    """What came of one change, which began `at` a time; `runs` were started while it was the latest one."""

    change: Change
    review: Review
    at: float
    runs: int = 0
    letters: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    doubled: int = 0
    lost: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def did_harm(self) -> bool:
        return bool(self.letters or self.failures or self.doubled or self.lost)

    def add(self, found: Found, runs: Sequence[Run], expected: Expected) -> None:
        """Count what happened to some runs."""
        ids = {run.id for run in runs}
        self.runs = len(runs)
        self.letters = Counter(each.reason for each in found.letters if each.run in ids)
        self.failures = len({run for run, _ in found.failures} & ids)
        self.doubled = sum(times for (run, _), times in found.doubled.items() if run in ids)
        lacks = {run.id: list(expected.lacks(run, found)) for run in runs}
        self.lost = sum(map(bool, lacks.values()))
        self.notes += [f"{run} lacks {', '.join(lack)}" for run, lack in lacks.items() if lack][:3]
        self.notes += sorted({f"{each.step}: {each.error}" for each in found.letters if each.run in ids})[:2]


class Trial:
    """A system, what is expected of it, and how it is waited for."""

    def __init__(
        self, stack: ExitStack, terms: Terms, folder: Path, *, modules: Modules, layout: Mapping[str, str]
    ) -> None:
        folder.mkdir()
        self.terms = terms
        forks = Forks(folder)
        stack.callback(forks.close)
        ground = GROUNDS[terms.on](stack, folder)
        self.system = System(forks, ground, folder, modules=modules, layout=layout, rate=terms.rate)
        stack.callback(lambda: ground.clean(sorted(self.system.steps)))
        stack.callback(forks.close)  # before anything is removed
        self.expected = Expected()

    def is_settled(self, runs: Sequence[Run], found: Found) -> bool:
        return not any(any(self.expected.lacks(run, found)) for run in runs)

    def wait_for(self, runs: Sequence[Run], *, patience: float = LONGEST) -> Found:
        """Wait until these runs have left all that they must, or nothing has changed for `patience` seconds."""
        last, since = Found(), time.monotonic()
        while True:
            found = self.system.found()
            if self.is_settled(runs, found):
                return found
            if found != last:
                last, since = found, time.monotonic()
            if time.monotonic() - since > patience:
                return found
            time.sleep(GLANCE)

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it is."""
        until = time.monotonic() + seconds
        while not (so := is_so()) and time.monotonic() < until:
            time.sleep(GLANCE)
        return so


def safe(
    stack: ExitStack, terms: Terms, folder: Path, changes: Sequence[Change], tell: Callable[[str], None]
) -> list[Row]:
    """Roll changes out, each as the plan says, while runs are started all the time; nothing else is restarted."""
    trial = Trial(stack, terms, folder, modules=BASE, layout=LAYOUT)
    trial.system.start()
    rows: list[Row] = []
    for change in changes:
        rows.append(row := _rolled_out(trial, change))
        if not row.review.is_safe:
            row.notes.append(f"not called safe: {', '.join(row.review.rules)}")
            break
        tell(f"{change.name}: deployed {' then '.join(map(', '.join, row.review.phases))} in {row.seconds:.1f} s")
    trial.system.stop_starting()
    runs = trial.system.runs()
    trial.wait_for(runs, patience=LOST)
    time.sleep(AFTERMATH)
    found = trial.system.found()
    begins = [float("-inf"), *(row.at for row in rows[1:]), float("inf")]
    for row, (since, until) in zip(rows, pairwise(begins), strict=True):
        row.add(found, [run for run in runs if since <= run.at < until], trial.expected)
    rows[-1].notes += [f"a service ended with {status}: {said}" for status, said in trial.system.stop()]
    return rows


def _rolled_out(trial: Trial, change: Change) -> Row:
    """Do all of one change, if it is called safe, and let some runs come after it."""
    system, expected, at, began = trial.system, trial.expected, time.time(), time.monotonic()
    if change.drains:
        trial.wait_for(system.runs())
    row = Row(change=change, review=system.prepare(change), at=at)
    if row.review.is_safe:
        expected.drop(change.removed, at)
        for phase in row.review.phases:
            system.deploy(phase, change, restarts=trial.terms.restarts)
        expected.add(change.hears, time.time())
        wanted = len(system.runs()) + trial.terms.rate
        trial.wait_until(lambda: len(system.runs()) > wanted, LONGEST)
    row.seconds = time.monotonic() - began
    return row


def unsafe(stack: ExitStack, terms: Terms, folder: Path, change: Change) -> Row:
    """Deploy a change all the same, and look what it does."""
    layout = {step: "rest" for step in BASE if step not in {*change.steps, STARTING}}
    trial = Trial(stack, terms, folder, modules={**BASE, **change.before}, layout=layout)
    system, began = trial.system, time.monotonic()
    system.start()
    trial.wait_until(lambda: len(system.runs()) >= WARM, LONGEST)
    warm = system.runs()[:WARM]
    early = trial.wait_for(warm)
    row = Row(change=change, review=system.prepare(change), at=time.time())
    if _harmed(early) or not trial.is_settled(warm, early):
        raise RuntimeError(f"{change.name}: there was harm before the change: {early}")
    for step in change.order or change.steps:
        system.deploy([step], change)
    trial.wait_until(lambda: bool(_harmed(system.found())), GOES_ON)
    system.stop_starting()
    runs = system.runs()
    found = system.found()
    if harmed := _harmed(found):  # what is still under way is not lost
        runs = [run for run in runs if run.id in harmed]
    else:
        found = trial.wait_for(runs, patience=STANDSTILL)
    row.add(found, runs, trial.expected)
    row.seconds = time.monotonic() - began
    system.stop()
    return row


def _harmed(found: Found) -> set[str]:
    """Return the runs in which something went wrong that can be seen."""
    letters = {each.run for each in found.letters}
    return letters | {run for run, _ in found.failures} | {run for run, _ in found.doubled}
