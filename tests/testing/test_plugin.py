"""The fixtures, as a project that uses stamp has them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest


@pytest.fixture
def project(pytester: pytest.Pytester, root: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with contracts that the settings name, and nothing around it that has a say."""
    for name in ("STAMP_SCHEMAS", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyprojecttoml('[tool.stamp]\nschemas = "contracts"')
    for folder in ("contracts", "broken"):
        shutil.copytree(root / "schemas/ticket", pytester.path / folder / "ticket")
    view = pytester.path / "broken/ticket/validation/reads/ticket.avsc"
    schema = json.loads(view.read_text("utf-8"))
    schema["fields"][0]["type"] = "boolean"
    view.write_text(json.dumps(schema), "utf-8")
    return pytester


def test_pytest_finds_the_plugin_by_itself() -> None:
    (found,) = entry_points(group="pytest11", name="stamp")
    assert found.value == "stamp.testing.pytest_plugin"


def test_loading_the_plugin_imports_nothing_else_of_stamp() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import stamp.testing.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["stamp", "stamp.testing", "stamp.testing.pytest_plugin"]


def test_the_names_of_testing_are_there_when_they_are_asked_for() -> None:
    code = (
        "import stamp.testing; print(*dir(stamp.testing)); from stamp.testing import *; print(Simulation, VirtualClock)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Simulation" in done.stdout.split()
    assert "stamp.testing.clock.VirtualClock" in done.stdout


def test_what_the_documentation_says_is_what_happens(project: pytest.Pytester, root: Path) -> None:
    (workflow,) = (each for each in python_of(root / "README.md") if "ticket = Workflow" in each)
    project.makepyfile(tickets=workflow)
    (project.path / "contracts").rename(project.path / "example")  # of a longer workflow of the same name
    whole, failures, contracts, strategies = python_of(root / "docs/testing.md")
    project.makepyfile(test_whole=whole, test_failures=failures, test_strategies=strategies)
    project.makepyfile(
        test_contracts=contracts.replace("against=", '"example", against=').replace("origin/main", "example")
    )
    project.runpytest_subprocess().assert_outcomes(passed=12)


def python_of(file: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", file.read_text("utf-8"), re.DOTALL | re.MULTILINE)


CONTRACTS = """
def test_as_they_are(stamp_contracts):
    assert "7 steps" in stamp_contracts()

def test_against_a_folder(stamp_contracts):
    assert "against contracts" in stamp_contracts("contracts", against="contracts", fail_on="warning")

def test_broken(stamp_contracts):
    stamp_contracts("broken")

def test_nowhere(stamp_contracts):
    stamp_contracts("nowhere")

def test_no_branch(stamp_contracts):
    stamp_contracts(against="no-such-branch")
"""


def test_contracts_fail_a_test_with_what_is_found(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")  # the text is for people there, too
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.makepyfile(CONTRACTS)
    done = project.runpytest_subprocess("--color=no")
    done.assert_outcomes(passed=2, failed=3)
    done.stdout.fnmatch_lines(
        [
            *("*_ test_broken _*", "*validation*", "*subject*", "*1 error*in broken*"),
            *("*_ test_nowhere _*", "*nowhere*"),
            *("*_ test_no_branch _*", "*expected a folder in a git repository*"),
        ]
    )
    assert "Traceback" not in done.stdout.str()
    assert "\x1b" not in done.stdout.str()
    assert not summary.exists()
