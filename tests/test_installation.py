"""The tests test what users get: the built package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import stamp

HEAVY = {"amqp", "click", "fastavro", "kombu", "psycopg", "rich", "sqlalchemy", "sqlite3", "vine"}


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="an editable install is convenient locally")
def test_ci_tests_the_installed_package_and_not_the_checkout(root: Path) -> None:
    assert Path(stamp.__file__).is_relative_to(sysconfig.get_path("purelib"))
    assert Path(stamp.__file__).parent != root / "stamp"


def test_the_version_of_the_package_is_the_version_of_the_distribution() -> None:
    assert stamp.__version__ == metadata.version("stamp-coupling")


def test_importing_all_of_stamp_imports_no_broker_terminal_or_database() -> None:
    program = "import sys, stamp; from stamp import *; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    modules = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()

    assert "stamp" in modules
    assert HEAVY.isdisjoint(modules)


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="an editable install has examples/ beside stamp/")
def test_the_installed_package_carries_the_example(tmp_path: Path) -> None:
    program = "from stamp.examples.ticket import ticket; print(ticket.name)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)

    assert done.stdout == "ticket\n"
