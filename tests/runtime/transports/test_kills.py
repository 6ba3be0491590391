"""Publishers and consumers that are killed at any moment: what was confirmed is consumed, perhaps more than once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from .brokers import STEPS
from .stage import PATIENCE, Stage

PROGRAM = Path(__file__).with_name("mortal.py")
ROUNDS = 8


class Mortal:
    """Starts a process of one kind again and again."""

    def __init__(self, stage: Stage, work: str, log: Path) -> None:
        self.log = log
        self.log.touch()
        topology = json.dumps([stage.name, STEPS])
        self._command = [sys.executable, PROGRAM, work, stage.broker.recipe(), topology, stage.queue("alpha"), log]
        self._start()

    def _start(self) -> None:
        self._seen = self.log.stat().st_size
        self._process = subprocess.Popen(self._command)

    def has_worked(self) -> bool:
        assert self._process.poll() is None, "it ended by itself"
        return self.log.stat().st_size > self._seen

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def lines(self) -> list[bytes]:
        return self.log.read_bytes().split()


def until(is_done, within):
    end = monotonic() + within
    while not is_done():
        assert monotonic() < end
        sleep(0.005)


@pytest.mark.slow
@pytest.mark.but(
    "kafka"
)  # of the mock cluster's groups it is not shown that they live through so many deaths in so short a time
@pytest.mark.promised("redelivers")
@pytest.mark.promised("between_processes")
def test_what_was_confirmed_is_consumed_however_often_somebody_is_killed(stage, stack, tmp_path):
    publisher = Mortal(stage, "publish", tmp_path / "confirmed")
    consumers = [Mortal(stage, "consume", tmp_path / f"seen-{number}") for number in range(2)]
    everybody = [publisher, *consumers]
    for each in everybody:
        stack.callback(each.kill)

    for round_ in range(ROUNDS):
        for number, each in enumerate(everybody):
            until(each.has_worked, PATIENCE)
            sleep((round_ * 7 + number * 13) % 10 / 300)  # at another moment each time
            each.kill()
            each._start()

    until(publisher.has_worked, PATIENCE)
    publisher.kill()
    confirmed = set(publisher.lines())

    def missing() -> set[bytes]:
        return confirmed.difference(*(each.lines() for each in consumers))

    until(lambda: not missing(), PATIENCE + 2 * stage.promises.redelivers)
    seen = [line for each in consumers for line in each.lines()]
    print(f"{len(confirmed)} confirmed, {3 * ROUNDS + 1} kills, 0 lost, {len(seen) - len(set(seen))} repeated")  # noqa: T201
