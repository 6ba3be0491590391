"""All services of a workflow, which go on while one after the other is replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from change import Change, Modules, edited
from forks import Forks
from found import Found, find
from ground import Ground
from modules import STARTING
from repository import Repository
from review import Review, review
from service import Service

__all__ = ["Run", "System"]


class Run(NamedTuple):
    """A run that was started: with which line of the tickets, and when."""

    id: str
    ticket: int
    at: float


class System:
    """The services of a workflow whose steps have these `modules`, grouped by `layout`: the service of each step that has none of its own."""

    def __init__(
        self,
        forks: Forks,
        ground: Ground,
        folder: Path,
        *,
        modules: Modules,
        layout: Mapping[str, str],
        rate: float,
    ) -> None:
        self._forks, self._ground, self._folder = forks, ground, folder
        self._layout, self._rate = layout, rate
        self._started = folder / "started"
        self._services: dict[str, Service] = {}
        self._reviews = 0
        self.modules: dict[str, str] = dict(modules)
        self.steps: set[str] = set(modules)

    def start(self) -> None:
        """Start all services, and then the runs."""
        self._write(list(self.modules))
        for name, service in self._services.items():
            if name != STARTING:
                service.deploy()
        self._services[STARTING].deploy()

    def prepare(self, change: Change) -> Review:
        """Write the modules of a change and export the contracts, and return what is said of it."""
        self._reviews += 1
        self.modules = edited(self.modules, change)
        self.steps |= set(self.modules)
        written = self._write([step for step in change.steps if step not in change.removed])
        repositories = [service.repository for service in written]
        return review(self._forks, self._ground, self._folder / f"review-{self._reviews}", repositories, change)

    def deploy(self, steps: Collection[str], change: Change, *, restarts: bool = False) -> None:
        """Deploy the services of these steps, one after the other.

        Raises:
            RuntimeError: one of them would deploy a step that has to wait.
        """
        for name in dict.fromkeys(self._layout.get(step, step) for step in steps):
            service = self._services[name]
            early = set(change.steps) & set(service.repository.steps) - set(steps)
            if early:
                raise RuntimeError(f"{name} cannot be deployed before {', '.join(sorted(early))}")
            if set(service.repository.steps) <= set(change.removed):
                self._remove(service)
            else:
                service.deploy(waits=change.waits, stops_first=change.stops_first, restarts=restarts)

    def stop_starting(self) -> None:
        self._services[STARTING].stop()

    def stop(self) -> Sequence[tuple[int, str]]:
        """Stop all, and return how those ended that did not end well."""
        for service in self._services.values():
            service.stop()
        return [each for service in self._services.values() for each in service.ended]

    def found(self) -> Found:
        return find(self._ground.stores.values(), self._ground.workflow)

    def runs(self) -> list[Run]:
        """Return the runs that have been started so far."""
        lines = (line.split() for line in self._started.read_text().splitlines(keepends=True) if line.endswith("\n"))
        return [Run(run, int(ticket), float(at)) for run, ticket, at in lines]

    def _remove(self, service: Service) -> None:
        """Take steps out: their messages first, then their workers, then what is announced of them."""
        service.stop()
        for step in service.repository.steps:
            place = [
                "--store",
                self._ground.store(service.name),
                *(["--broker", self._ground.broker] if self._ground.broker else []),
            ]
            self._forks.call(
                "contracts", "remove", step, "--workflow", self._ground.workflow, *place, "--discard", cwd=self._folder
            )

    def _write(self, steps: Sequence[str]) -> list[Service]:
        """Write the modules of the services that have these steps, and export their contracts."""
        names = dict.fromkeys(self._layout.get(step, step) for step in steps)
        return [self._written(name) for name in names]

    def _written(self, name: str) -> Service:
        steps = [step for step in self.modules if self._layout.get(step, step) == name]
        if name not in self._services:
            repository = Repository(self._forks, self._folder / "services" / name, self._ground.workflow, steps)
            self._services[name] = Service(
                self._forks, self._ground, repository, name=name, started=self._started, rate=self._rate
            )
        self._services[name].repository.write(self.modules)
        return self._services[name]
