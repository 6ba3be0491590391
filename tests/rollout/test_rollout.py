"""The verdicts of `check` and `plan` in small: some changes of each kind, with processes that go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are watched and ended by means of Linux"),
]

GROUNDS = ["embedded", "rabbitmq+postgresql"]


def rollout(root: Path, on: str, changes: str, *names: str) -> str:
    """Run the command, and return what it says; in CI every server has to be there."""
    only = [option for name in names for option in ("--only", name)]
    command = [sys.executable, root / "tests" / "rollout" / "rollout.py", "--on", on, "--changes", changes, *only]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("on", GROUNDS)
def test_what_is_called_safe_does_no_harm(root, on):
    said = rollout(root, on, "safe", "field promoted", "late listener")
    assert "| field promoted | 0, 0 | billing, then resolution |" in said


@pytest.mark.parametrize("on", GROUNDS)
def test_what_is_called_unsafe_does_harm(root, on):
    said = rollout(root, on, "unsafe", "type changed")
    assert "| type changed | 1, 1: view-breaks | all the same |" in said
