"""The action for GitHub and the hook for pre-commit: their files, and the shell in them run as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

Git = Callable[..., str]


@pytest.fixture(scope="session")
def action(root: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="session")
def hook(root: Path) -> Mapping[str, Any]:
    (loaded,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return dict(loaded)


def steps(action: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {step["name"]: step for step in action["runs"]["steps"]}


# ---- the action by itself


def test_the_action_has_its_inputs(action):
    expected = {
        "schemas",
        "against",
        "require-baseline",
        "fail-on",
        "workflow",
        "version",
        "python-version",
        "upload-sarif",
    }
    assert set(action["inputs"]) == expected
    assert all(isinstance(each["default"], str) and each["description"] for each in action["inputs"].values())


def test_inputs_reach_a_shell_through_its_environment_only(action):
    scripts = [step for step in steps(action).values() if "run" in step]
    assert scripts
    for step in scripts:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_every_input_is_used_and_every_used_one_is_there(action):
    used = re.findall(r"inputs\.([a-z-]+)", repr(action["runs"]))
    assert set(used) == set(action["inputs"])


def test_python_starts_apart_from_the_current_folder(action):
    lines = [line for step in steps(action).values() for line in step.get("run", "").splitlines() if " -m " in line]
    assert len(lines) == 3
    assert all(re.search(r'python" -I -m |PYTHON" -I -m ', line) for line in lines)


def test_steps_refer_to_steps_before_them(action):
    before: set[str] = set()
    for step in action["runs"]["steps"]:
        assert set(re.findall(r"steps\.([a-z]+)", repr(step))) <= before
        before |= {step["id"]} if "id" in step else set()


def test_what_is_used_is_pinned_by_its_commit(action, root):
    used = [step["uses"] for step in steps(action).values() if "uses" in step]
    assert [name.partition("@")[0] for name in used] == ["actions/setup-python", "github/codeql-action/upload-sarif"]
    pages = [root / "action.yml", root / "docs/checks.md", *sorted((root / ".github/workflows").glob("*.yml"))]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines() if "uses: " in line]
    assert len(lines) == 10
    for line in lines:
        assert re.search(r"uses: \S+@([0-9a-f]{40} # v\d+\.\d+\.\d+$|COMMIT # VERSION;)", line), line


MODULES = ["venv", "pip", "stamp", "click", "argparse", "ensurepip", "sitecustomize", "json"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with modules that leave a trace when they are imported, by the names of those that the action needs."""
    home = tmp_path / "checkout"
    for name in MODULES:
        (home / name).mkdir(parents=True)
        (home / name / "__init__.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write({name!r})")
        (home / name / "__main__.py").write_text("")
        (home / f"{name}.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write({name!r})")
    return home


@pytest.mark.slow
def test_what_is_installed_comes_from_no_module_of_the_checkout(action, checkout, tmp_path, require):
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": ".",
        "VERSION": "",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTION_PATH": str(tmp_path / "nothing"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    command = (require("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", steps(action)["Install"]["run"])
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert "nothing" in done.stderr  # as far as pip, which finds nothing there
    assert not (tmp_path / "trace").exists()


@pytest.fixture
def check(action: Mapping[str, Any], tmp_path: Path, require: Callable[[str], str]) -> Callable[..., Any]:
    """Return `check(at=..., AGAINST=...)`: run the step as GitHub does."""
    script = steps(action)["Check"]["run"]

    def run(*, at: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {"PYTHON": sys.executable, "SCHEMAS": "schemas", "AGAINST": "", "FAIL_ON": "error", "WORKFLOW": ""}
        files = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output")}
        environment = {**os.environ, **given, **files, "REQUIRE_BASELINE": "true", "PYTHONPATH": ".", **variables}
        command = (require("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
        return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)

    return run


def test_what_is_checked_runs_no_module_of_the_checkout_and_needs_a_baseline(check, checkout, git, root, tmp_path):
    git("init", "--quiet", "--initial-branch=main", at=checkout)
    git("-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "first", at=checkout)
    shutil.copytree(root / "schemas", checkout / "schemas")
    alone = check(at=checkout)
    assert alone.returncode == 0, alone.stderr
    done = check(at=checkout, AGAINST="main")
    assert done.returncode == 2
    assert "expected contracts in main" in done.stderr
    assert check(at=checkout, AGAINST="main", REQUIRE_BASELINE="false").returncode == 0
    assert not (tmp_path / "trace").exists()


# ---- deepening


@pytest.fixture
def git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Git:
    """Return `git(*arguments)`, out of reach of what is configured on the machine."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, at: Path = tmp_path, given: str = "") -> str:
        command = ("git", *map(str, arguments))
        return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True, input=given).stdout.strip()

    return run


def commits(branch: str, number: int, *, after: str = "", merging: str = "") -> str:
    """Return a stream for `git fast-import` with `number` commits on a branch."""
    lines = []
    for count in range(number):
        lines += [f"commit {branch}", "committer A <a@example.org> 1700000000 +0000", "data 1", "x"]
        lines += [f"from {after}"] if after and count == 0 else []
        lines += [f"merge {merging}"] if merging else []
        lines += [f"M 100644 inline {branch.replace('/', '-')}", f"data {len(str(count))}", str(count)]
    return "\n".join([*lines, ""])


MAIN, FEATURE, MERGE = "refs/heads/main", "refs/heads/feature", "refs/pull/1/merge"


@pytest.fixture
def origin(tmp_path: Path, git: Git) -> str:
    """Return the address of a repository: 300 commits, then a branch of 60, while main went on by 70."""
    git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    stream = commits(MAIN, 300) + "reset refs/tags/v1\nfrom refs/heads/main\n\n" + commits(FEATURE, 60, after=MAIN)
    stream += commits(MAIN, 70) + commits(MERGE, 1, after=MAIN, merging=FEATURE) + "done\n"
    git("fast-import", "--quiet", "--done", at=tmp_path / "origin.git", given=stream)
    git("config", "uploadpack.allowAnySHA1InWant", "true", at=tmp_path / "origin.git")
    return f"file://{tmp_path}/origin.git"


@pytest.fixture
def deepen(action: Mapping[str, Any], tmp_path: Path, require: Callable[[str], str]) -> Callable[..., str]:
    """Return `deepen(at=..., AGAINST=..., BASE=...)`: run the step as GitHub does, and return its output, or its error where it has to fail."""
    script = steps(action)["Deepen"]["run"]
    output = tmp_path / "output"

    def run(*, at: Path, is_refused: bool = False, **variables: str) -> str:
        output.write_text("")
        environment = {
            **os.environ,
            "AGAINST": "",
            "BASE": "",
            "SCHEMAS": "schemas",
            **variables,
            "GITHUB_OUTPUT": str(output),
        }
        command = (require("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
        done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == (2 if is_refused else 0), done.stderr
        return done.stderr if is_refused else output.read_text()

    return run


def count(git: Git, at: Path) -> int:
    return int(git("rev-list", "--all", "--count", at=at))


def test_a_shallow_clone_is_deepened_until_the_branches_meet(git, origin, deepen, tmp_path):
    git("clone", "--quiet", "--depth=1", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"

    assert deepen(at=clone, BASE="main") == "against=origin/main\n"

    assert git("merge-base", "HEAD", "origin/main", at=clone) == git("rev-parse", "v1", at=tmp_path / "origin.git")
    assert git("rev-parse", "--is-shallow-repository", at=clone) == "true"
    assert count(git, clone) < 400


def test_the_merge_commit_of_a_pull_request_meets_its_base_at_once(git, origin, deepen, tmp_path):
    sha = git("rev-parse", MERGE, at=tmp_path / "origin.git")
    git("init", "--quiet", "clone")
    clone = tmp_path / "clone"
    git("remote", "add", "origin", origin, at=clone)
    git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", f"+{sha}:refs/remotes/pull/1/merge", at=clone)
    git("checkout", "--quiet", "--force", "refs/remotes/pull/1/merge", at=clone)

    deepen(at=clone, BASE="main")

    assert git("merge-base", "HEAD", "origin/main", at=clone) == git("rev-parse", MAIN, at=tmp_path / "origin.git")
    assert count(git, clone) < 100


def test_a_tag_is_fetched_too(git, origin, deepen, tmp_path):
    git("clone", "--quiet", "--depth=1", "--no-tags", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"

    assert deepen(at=clone, AGAINST="v1\n  origin/main") == "against=v1 origin/main\n"

    for ref in ("v1", "origin/main"):
        assert git("merge-base", "HEAD", ref, at=clone) == git("rev-parse", "v1", at=clone)


def test_histories_without_a_common_commit_end(git, origin, deepen, tmp_path):
    git("fast-import", "--quiet", "--done", at=tmp_path / "origin.git", given=commits("refs/heads/other", 3) + "done\n")
    git("clone", "--quiet", "--depth=1", "--branch=feature", origin, "clone")

    deepen(at=tmp_path / "clone", AGAINST="origin/other")

    assert git("rev-parse", "--is-shallow-repository", at=tmp_path / "clone") == "false"


def test_a_whole_clone_stays_whole(git, origin, deepen, tmp_path):
    git("clone", "--quiet", "--single-branch", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"

    deepen(at=clone, BASE="main")

    assert git("rev-parse", "--is-shallow-repository", at=clone) == "false"
    assert git("merge-base", "HEAD", "origin/main", at=clone)


@pytest.mark.parametrize("against", ["", "folder", "HEAD~3", "base.tar", "-x --y", "$(touch pwned) `touch pwned` ;"])
def test_what_is_not_on_the_remote_is_left_alone(against, git, origin, deepen, tmp_path):
    git("clone", "--quiet", "--depth=1", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"
    (clone / "folder").mkdir()

    assert deepen(at=clone, AGAINST=against) == f"against={' '.join(against.split())}\n"

    assert count(git, clone) == 1
    assert not (clone / "pwned").exists()


@pytest.fixture
def pull_request(git: Git, root: Path, tmp_path: Path) -> Path:
    """Return the checkout of a change, one commit and no tags: it has edited a version that `main` and the tag `v1` have."""
    home = tmp_path / "hub"
    contracts = home / "schemas/ticket"
    shutil.copytree(root / "schemas/ticket", contracts)
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git("init", "--quiet", "--initial-branch=main", at=home)
    git("add", "--all", at=home)
    git(*author, "commit", "--quiet", "--message=base", at=home)
    git("tag", "v1", at=home)
    git("checkout", "--quiet", "-b", "work", at=home)
    version = next(iter(sorted(contracts.glob("billing/*.v1.avsc"))))
    version.write_text(version.read_text().replace('"double"', '"long"').replace('"string"', '"bytes"'))
    git(*author, "commit", "--quiet", "--all", "--message=edited", at=home)
    git("clone", "--quiet", "--depth=1", "--no-tags", "--branch=work", f"file://{home}", "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize("form", ["folder", "file"])
@pytest.mark.parametrize("against", ["v1", "origin/main"])
def test_a_folder_of_a_change_never_takes_the_place_of_what_it_is_compared_with(
    against, form, pull_request, deepen, check
):
    if form == "folder":
        shutil.copytree(pull_request / "schemas", pull_request / against)
    else:
        (pull_request / against).parent.mkdir(exist_ok=True)
        (pull_request / against).write_text("x")
    told = deepen(at=pull_request, AGAINST=against)
    done = check(at=pull_request, AGAINST=told.partition("=")[2].strip())
    assert done.returncode == 2
    assert f"which is a revision and a {form}, too" in done.stderr


@pytest.mark.parametrize("against", ["refs/tags/v1", "refs/remotes/origin/main"])
def test_a_long_name_is_fetched_and_is_no_folder(against, pull_request, deepen, check):
    shutil.copytree(pull_request / "schemas", pull_request / against)
    deepen(at=pull_request, AGAINST=against)
    done = check(at=pull_request, AGAINST=against)
    assert done.returncode == 1, done.stderr
    assert "version-changed" in done.stdout


def test_a_remote_that_does_not_answer_leaves_no_folder_in_place_of_a_tag(pull_request, git, deepen):
    git("remote", "set-url", "origin", "file:///nowhere", at=pull_request)
    deepen(at=pull_request, AGAINST="v1")
    (pull_request / "v1").mkdir()
    assert "say ./v1 for the file or the folder" in deepen(at=pull_request, AGAINST="v1", is_refused=True)
    deepen(at=pull_request, AGAINST="./v1")


def test_hooks_of_the_checkout_do_not_run(git, origin, deepen, tmp_path):
    git("clone", "--quiet", "--depth=1", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"
    (clone / ".husky").mkdir()
    for name in ("reference-transaction", "pre-auto-gc", "fsmonitor"):
        (clone / ".husky" / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
        (clone / ".husky" / name).chmod(0o755)
    git("config", "core.hooksPath", ".husky", at=clone)
    git("config", "core.fsmonitor", ".husky/fsmonitor", at=clone)

    deepen(at=clone, BASE="main")

    assert git("merge-base", "HEAD", "origin/main", at=clone)
    assert not (tmp_path / "ran").exists()


def test_a_partial_clone_gets_what_is_compared_with(git, origin, deepen, tmp_path, monkeypatch):
    git("config", "uploadpack.allowFilter", "true", at=tmp_path / "origin.git")
    git("clone", "--quiet", "--no-checkout", "--filter=blob:none", "--branch=feature", origin, "clone")
    clone = tmp_path / "clone"
    base = git("merge-base", "HEAD", "origin/main", at=clone)

    deepen(at=clone, BASE="main", SCHEMAS=MAIN.replace("/", "-"))

    monkeypatch.setenv("GIT_NO_LAZY_FETCH", "1")
    assert git("show", f"{base}:{MAIN.replace('/', '-')}", at=clone) == "299"


# ---- pre-commit

CONTRACTS = [
    "schemas/ticket/billing/step.json",
    "schemas/ticket/billing/Billed.v1.avsc",
    "a/reads/b.avsc",
    "pyproject.toml",
    "x/stamp.toml",
]
OTHERS = ["README.md", "package.json", "schemas/other.json", "mystep.json", "a.avsc.bak", "mypyproject.toml"]


def test_the_hook_is_one_that_pre_commit_takes(hook):
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("stamp-check", "python", False)
    assert {"name", "description", "entry", "files"} <= set(hook)
    assert (hook["entry"], hook["args"]) == ("stamp check --require-baseline", ["--against", "origin/HEAD"])


def test_the_hook_runs_for_contracts_and_settings(hook):
    assert [name for name in CONTRACTS + OTHERS if re.search(hook["files"], name)] == CONTRACTS
