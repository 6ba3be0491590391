"""A service that runs: its processes, and how one release follows another."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError

from forks import Forks, Process
from ground import Ground
from modules import ROOT, STARTING
from ports import free_port
from repository import TARGET, Repository

__all__ = ["Service"]

GLANCE: Final = 0.1
PATIENCE: Final = 60.0
"""How often a service is asked whether it is ready, and for how long at most, in seconds."""
TICKETS: Final = ROOT / "examples" / "ticket" / "tickets.jsonl"


class Service:
    """What performs the steps of one repository, or starts runs, `rate` of them a second, and notes them in the file `started`."""

    def __init__(
        self, forks: Forks, ground: Ground, repository: Repository, *, name: str, started: Path, rate: float
    ) -> None:
        self.repository = repository
        self.name = name
        self._forks, self._ground, self._started, self._rate = forks, ground, started, rate
        self._instances = 0
        self._process: Process | None = None
        self._folder: Path | None = None
        self.ended: list[tuple[int, str]] = []

    def deploy(self, *, waits: float = 0.0, stops_first: bool = False, restarts: bool = False) -> None:
        """Start the next release, and when it is ready stop the one before, `waits` seconds later.

        With `restarts` the old one comes back once, side by side with the new one. With `stops_first` they are never there
        together: the new one starts `waits` seconds after the old one has stopped.
        """
        if stops_first:
            self.stop()
            time.sleep(waits)
        old, before = self._process, self._folder
        self._folder = self.repository.release()
        self._process = self._begun(self._folder)
        if old is not None and before is not None:
            time.sleep(waits)
            if restarts:
                old, gone = self._begun(before), old
                self._stop(gone)
            self._stop(old)

    def stop(self) -> None:
        """Stop what runs."""
        if self._process is not None:
            self._stop(self._process)
            self._process = None

    def _stop(self, process: Process) -> None:
        status = process.stop()
        if status:
            self.ended.append((status, process.text[-1000:]))

    def _begun(self, folder: Path) -> Process:
        self._instances += 1
        store = self._ground.store(self.name)
        if self.repository.steps == (STARTING,):
            return self._starter(f"instance{self._instances}", store, folder)
        health = f"127.0.0.1:{free_port()}"
        steps = [option for step in self.repository.steps for option in ("--step", step)]
        carried = ["--broker", self._ground.broker] if self._ground.broker else []
        options = [*steps, *carried, "--store", store, "--health", health, "--attempts", "2", "--log-level", "warning"]
        process = self._forks.start("stamp", "run", TARGET, *options, cwd=folder)
        until_ready(health, process)
        return process

    def _starter(self, name: str, store: str, folder: Path) -> Process:
        options = [str(self._rate), store, self._ground.broker, str(TICKETS), str(self._started)]
        process = self._forks.start("starter", name, *options, cwd=folder)
        until_started(self._started, f"{name}-", process)
        return process


def until_ready(health: str, process: Process) -> None:
    """Wait until a worker says that it is ready.

    Raises:
        RuntimeError: it ends before. TimeoutError: it takes too long.
    """
    until = time.monotonic() + PATIENCE
    said: object = "nothing"
    while time.monotonic() < until:
        if process.has_ended(GLANCE):
            raise RuntimeError(f"a service ended by itself: {process.text[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://{health}/ready", timeout=5):
                return
        except HTTPError as error:
            said = json.load(error)
        except (URLError, OSError):
            continue
    raise TimeoutError(f"a service does not become ready; it says {said}: {process.text[-2000:]}")


def until_started(file: Path, prefix: str, process: Process) -> None:
    """Wait until the first run is started.

    Raises:
        RuntimeError: the process ends before. TimeoutError: it takes too long.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.has_ended(GLANCE):
            raise RuntimeError(f"a starter ended by itself: {process.text[-2000:]}")
        if file.exists() and f"\n{prefix}" in f"\n{file.read_text()}":
            return
    raise TimeoutError(f"no run is started: {process.text[-2000:]}")
