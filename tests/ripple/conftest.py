"""Small workflows, and repositories that nothing of the machine's git configuration reaches."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stamp.ripple import Contracts, Report, contracts_of, ripple
from stamp.ripple.example import files

Steps = Mapping[str, Mapping[str, Any]]

TODAY = date(2026, 11, 23)


@pytest.fixture
def flow() -> dict[str, dict[str, Any]]:
    """A workflow of five steps, in which nothing is wrong: make of it what a test wants."""
    return {
        "ticket": {
            "emits": {"TicketCreated": "Ticket"},
            "writes": {"Ticket.v1": {"text": "string", "note": "string"}},
        },
        "validation": {
            "on": ["TicketCreated"],
            "emits": {"TicketValidated": "Validated", "TicketRejected": "Rejected"},
            "ends": ["TicketRejected"],
            "reads": {"ticket": {"text": "string"}},
            "writes": {"Validated.v1": {"priority": "string"}, "Rejected.v1": {"reason": "string"}},
        },
        "assignment": {
            "on": ["TicketValidated"],
            "emits": {"TicketAssigned": "Assigned"},
            "reads": {"ticket": {"text": "string"}, "validation": {"priority": "string"}},
            "writes": {"Assigned.v1": {"expert": "string"}},
        },
        "notification": {
            "on": ["TicketAssigned"],
            "emits": {"CustomerNotified": "Notified"},
            "reads": {"assignment": {"expert": "string"}},
            "writes": {"Notified.v1": {"template": "string"}},
        },
        "billing": {
            "on": ["CustomerNotified"],
            "emits": {"TicketBilled": "Billed"},
            "ends": ["TicketBilled"],
            "reads": {"validation": {"priority": "string"}},
            "writes": {"Billed.v1": {"amount": "long"}},
        },
    }


@pytest.fixture
def state() -> Callable[..., Contracts]:
    """Return the contracts of steps that are written down briefly."""

    def make(steps: Steps, *, name: str = "now", like: Contracts | None = None) -> Contracts:
        return contracts_of(files(steps), name=name, like=like)

    return make


@pytest.fixture
def compare(state: Callable[..., Contracts]) -> Callable[..., Report]:
    """Return what ripples when the first steps become the second ones."""

    def report(before: Steps, now: Steps, *, today: date = TODAY, **options: Any) -> Report:
        present = state(now)
        return ripple(present, [state(before, name="main", like=present)], today=today, **options)

    return report


@pytest.fixture
def examine(state: Callable[..., Contracts]) -> Callable[..., Report]:
    """Return what there is to say of steps by themselves."""

    def report(steps: Steps, *, today: date = TODAY, **options: Any) -> Report:
        return ripple(state(steps), today=today, **options)

    return report


@pytest.fixture
def lay() -> Callable[[Path, Steps], Path]:
    """Write steps into a folder, and return it."""

    def write(folder: Path, steps: Steps) -> Path:
        for name, text in files(steps).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text)
        return folder

    return write


@pytest.fixture
def git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Run git in a folder (default: `tmp_path/repo`, a repository and the current folder), and return what it prints."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "repo"

    def run(*arguments: str, at: Path = home) -> str:
        return subprocess.run(("git", *arguments), cwd=at, check=True, capture_output=True, text=True).stdout.strip()

    home.mkdir()
    monkeypatch.chdir(home)
    run("init", "--quiet", "--initial-branch=main")
    return run


@pytest.fixture
def today() -> date:
    return TODAY
