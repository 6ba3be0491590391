"""The ledger in small, on every ground; and that it notices what it is there for."""

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


def ledger(root: Path, on: str, *options: object) -> subprocess.CompletedProcess[str]:
    """Run the command; in CI every server has to be there."""
    command = [sys.executable, root / "tests" / "chaos" / "ledger.py", "--on", on, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        reason = done.stderr.strip()
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return done


@pytest.mark.parametrize("on", ["embedded", "postgresql", "rabbitmq", "redis"])
def test_nothing_is_lost_or_done_twice(root, on):
    done = ledger(root, on, "--workflows", 60, "--kills", 8, "--seed", 11)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the ledger is right" in done.stdout


@pytest.mark.parametrize(
    ("mutant", "noticed"), [("inbox-off", "doubled"), ("ack-first", "lost"), ("redrive-off", "lost")]
)
def test_a_broken_law_is_noticed(root, mutant, noticed):
    done = ledger(root, "embedded", "--workflows", 40, "--kills", 8, "--mutant", mutant, "--patience", 3)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"\n  {noticed}: " in done.stdout
