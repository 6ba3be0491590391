"""The repository of one service: its own modules and its own contracts, and what is released from it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from change import Modules
from forks import Forks

__all__ = ["TARGET", "Repository"]

TARGET: Final = "service:ticket"

WORKFLOW: Final = """from recorded import Recorded

ticket = Recorded({name!r})
"""


class Repository:
    """A folder for the steps of one service of `workflow`. Nobody shares it; each release is a copy."""

    def __init__(self, forks: Forks, folder: Path, workflow: str, steps: Collection[str]) -> None:
        self._forks = forks
        self.steps = tuple(steps)
        self._folder, self._workflow = folder, workflow
        self._releases = 0
        self._work = folder / "work"
        self._work.mkdir(parents=True)
        (self._work / "workflow.py").write_text(WORKFLOW.format(name=workflow))
        imports = "".join(f"import {step}\n" for step in self._modules)
        (self._work / "service.py").write_text(f"{imports}from workflow import ticket\n")

    @property
    def _modules(self) -> Sequence[str]:
        return [f"step_{step}" for step in self.steps]

    def write(self, modules: Modules) -> None:
        """Write the modules of the steps, and export their contracts."""
        for step, module in zip(self.steps, self._modules, strict=True):
            (self._work / f"{module}.py").write_text(modules[step])
        self._forks.call("export", TARGET, cwd=self._work)

    def deliver(self, joined: Path) -> None:
        """Put the contracts of the steps where the contracts of all are compared."""
        for step in self.steps:
            there = joined / self._workflow / step
            shutil.rmtree(there, ignore_errors=True)
            shutil.copytree(self._work / "schemas" / self._workflow / step, there)

    def release(self) -> Path:
        """Return a folder with what is to be deployed, as it is now."""
        self._releases += 1
        return Path(shutil.copytree(self._work, self._folder / f"release-{self._releases}", symlinks=True))
