"""Fixtures that every pytest finds where stamp is installed.

`stamp_clock` is a clock that only moves when it is told to, `stamp_simulation` a whole workflow that runs on it, `stamp_contracts` a check
of the contracts that fails the test by what it finds. Nothing is imported before a test asks for one of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

if TYPE_CHECKING:
    from stamp.runtime import Policy
    from stamp.testing.clock import VirtualClock
    from stamp.testing.simulation import Simulation
    from stamp.workflow import Workflow

__all__ = ["CheckContracts", "MakeSimulation", "stamp_clock", "stamp_contracts", "stamp_simulation"]


class MakeSimulation(Protocol):
    """What `stamp_simulation` is."""

    def __call__(
        self,
        *workflows: Workflow,
        seed: int = 0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        crash: float = 0.0,
        policy: Policy = ...,
        raise_errors: bool = False,
        transaction: Callable[[], Any] | None = None,
    ) -> Simulation:
        """Return a simulation of a workflow, or of several objects of one name, on the clock `stamp_clock`; see `stamp.testing.Simulation`."""


class CheckContracts(Protocol):
    """What `stamp_contracts` is."""

    def __call__(
        self, schemas: str | os.PathLike[str] | None = None, *, against: str | None = None, fail_on: str = "error"
    ) -> str:
        """Check a contracts folder as `stamp check` does, and return what it says; fail the test when something is found.

        Args:
            schemas: the folder, from pytest's root directory on; by default that of the settings, or `schemas`.
            against: what runs now: a git branch (where this one left it), a tag or commit, another folder, or a .tar file.
            fail_on: from which severity on it fails: `error`, `warning` or `info`.
        """


@pytest.fixture
def stamp_clock() -> VirtualClock:
    """A clock for one test: it begins with 2026, and passes only when it is looked at or told to advance."""
    from stamp.testing.clock import VirtualClock  # noqa: PLC0415 - only where it is asked for, as below

    return VirtualClock()


@pytest.fixture
def stamp_simulation(stamp_clock: VirtualClock) -> MakeSimulation:
    """Makes simulations: `stamp_simulation(ticket, seed=7, duplicate=0.2)` runs the steps of `ticket` without a broker.

    Separate `Workflow` objects of one name run together: `stamp_simulation(orders, parcels)`.
    """
    from stamp.testing.simulation import Simulation  # noqa: PLC0415

    def simulation(*workflows: Workflow, **given: Any) -> Simulation:
        return Simulation(*workflows, clock=stamp_clock, **given)

    return simulation


@pytest.fixture(scope="session")
def stamp_contracts(pytestconfig: pytest.Config) -> CheckContracts:
    """Checks contracts: `stamp_contracts(against="origin/main")` fails the test with what `stamp check` finds."""

    def check(
        schemas: str | os.PathLike[str] | None = None, *, against: str | None = None, fail_on: str = "error"
    ) -> str:
        arguments = [*([os.fspath(schemas)] if schemas else []), *(["--against", against] if against else [])]
        command = [sys.executable, "-Pc", _STAMP, "check", "--format=text", f"--fail-on={fail_on}", *arguments]
        done = subprocess.run(  # noqa: S603 - the command itself: it knows the settings, git, and how to say things
            command, cwd=pytestconfig.rootpath, env=_environment(), capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            pytest.fail((done.stdout + done.stderr).strip(), pytrace=False)
        return done.stdout

    return check


_STAMP: Final = "from stamp.cli.main import cli, main; main(lambda: cli(prog_name='stamp'))"


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return kept | {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
