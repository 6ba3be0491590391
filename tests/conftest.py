"""What every test may rely on.

The tests see `stamp` as it is installed, not as it lies in the checkout: the repository's root is not on `sys.path`. Only
`examples` is put there, through a folder that holds nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI") == "true"

# By day the same few examples each time in CI; at night many, and others each time: `pytest --hypothesis-profile night`.
hypothesis.settings.register_profile("local", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.register_profile("night", deadline=None, max_examples=300, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "local")


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="stamp-tests-")
    config.add_cleanup(folder.cleanup)
    (Path(folder.name) / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    sys.path.insert(0, folder.name)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout: where README.md, examples/ and schemas/ are."""
    return ROOT


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """Return `require(tool)`, the path of a program such as `node`: without it, skip here and fail in CI."""

    def path_of(tool: str) -> str:
        path = shutil.which(tool)
        if path is not None:
            return path
        if IN_CI:
            pytest.fail(f"{tool} is not installed, and CI must not skip a test for that")
        pytest.skip(f"{tool} is not installed")

    return path_of
