"""The campaign in small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_some_pairs_break_no_law(root: Path) -> None:
    program = root / "tests" / "campaign" / "evolve.py"
    done = subprocess.run(
        [sys.executable, program, "--pairs", "150", "--seed", "7"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "150  pairs" in done.stdout
    assert "100.000% of the errors have a witness, 0 laws are broken" in done.stdout


def test_one_pair_can_be_looked_at(root: Path) -> None:
    program = root / "tests" / "campaign" / "evolve.py"
    done = subprocess.run([sys.executable, program, "--pair", "12"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"writer": {' in done.stdout
    assert "1  pairs" in done.stdout
