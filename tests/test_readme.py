"""What README.md says is what happens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from itertools import pairwise
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
INSTALLING = [line for line in TEXT.splitlines() if "pip install" in line]
COMMANDS = re.findall(r"^\.venv/bin/stamp .*$", SECTIONS["Commands"], re.MULTILINE)
SERVICES = re.findall(r"^\.venv/bin/stamp .*$", SECTIONS["Run services"], re.MULTILINE)
SESSIONS = [block for language, block in BLOCKS if language == "console"]
SNIPPETS = [
    (program, expected)
    for (language, program), (following, expected) in pairwise(BLOCKS)
    if (language, following) == ("python", "text")
]


@pytest.mark.parametrize(("program", "expected"), SNIPPETS)
def test_a_snippet_prints_what_stands_below_it(program: str, expected: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert (done.stdout, done.stderr) == (expected, "")


def test_every_snippet_has_its_output_below_it() -> None:
    assert len(SNIPPETS) == sum(language == "python" for language, _ in BLOCKS) > 0


def lay_clone(root: Path, folder: Path) -> None:
    """Copy what a clone holds, since some commands write."""
    for name in ("examples", "schemas"):
        shutil.copytree(root / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(sysconfig.get_path("scripts"))


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_prints_what_stands_in_it(session: str, root: Path, tmp_path: Path) -> None:
    lay_clone(root, tmp_path)
    lines = session.splitlines(keepends=True)
    commands = "".join(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    of_place = {"COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "STAMP_SCHEMAS"}
    environment = {name: value for name, value in os.environ.items() if name not in of_place}
    done = subprocess.run(
        commands, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )

    assert (done.stdout, done.stderr) == ("".join(line for line in lines if not line.startswith("$ ")), "")


def test_the_commands_run_one_after_the_other(root: Path, tmp_path: Path) -> None:
    lay_clone(root, tmp_path)

    assert COMMANDS
    for command in COMMANDS:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_services_work_together_over_a_file(root: Path, tmp_path: Path) -> None:
    lay_clone(root, tmp_path)
    workers = [line for line in SERVICES if line.startswith(".venv/bin/stamp run ")]
    start, decode = SERVICES[len(workers) :]
    running = [subprocess.Popen(shlex.split(line), cwd=tmp_path, stderr=subprocess.DEVNULL) for line in workers]
    try:
        subprocess.run(shlex.split(start), cwd=tmp_path, check=True, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        done = subprocess.run(shlex.split(decode), cwd=tmp_path, capture_output=True, text=True, check=False)
        while done.returncode and time.monotonic() < until:
            time.sleep(0.2)
            done = subprocess.run(shlex.split(decode), cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        for each in running:
            each.terminate()
        statuses = [each.wait(30) for each in running]

    assert (len(workers), done.returncode) == (2, 0), done.stderr
    assert "SurveyAnswered" in done.stdout
    assert statuses == [0, 0]


def test_ci_runs_the_command_of_the_readme(root: Path) -> None:
    [test] = [line for line in INSTALLING if "pytest" in line]

    # `set -e` does not see that a part of `a && b && c` other than the last has failed
    assert f"{test} || exit 1" in (root / ".ci/run").read_text("utf-8").splitlines()
    assert os.access(root / ".ci/run", os.X_OK)


def test_what_is_left_out_runs_every_night(root: Path) -> None:
    [slow] = re.findall(r"^\.venv/bin/pytest .*-m slow$", SECTIONS["Tests"], re.MULTILINE)

    assert f"- run: CI=true {slow}" in (root / ".github/workflows/nightly.yml").read_text("utf-8")


@pytest.mark.parametrize("file", ["README.md", "examples/ticket/README.md"])
def test_links_lead_to_files(root: Path, file: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (root / file).read_text("utf-8"))
    local = [link for link in links if "://" not in link]

    assert local
    assert not [link for link in local if not (root / file).parent.joinpath(link).exists()]
