"""`stamp plan`: the order of deployment, and what is told where there is none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from markdown_it import MarkdownIt

from stamp.ripple.example import files

Steps = Mapping[str, Mapping[str, Any]]

FLOW: Steps = {
    "ticket": {"emits": {"Created": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
    "validation": {
        "on": ["Created"],
        "emits": {"Validated": "Valid"},
        "reads": {"ticket": {"text": "string"}},
        "writes": {"Valid.v1": {"priority": "string"}},
    },
    "billing": {"on": ["Validated"], "reads": {"validation": {"priority": "string"}}},
}
INSERTED: Steps = FLOW | {
    "validation": FLOW["validation"] | {"emits": {"Accepted": "Valid"}},
    "triage": {"on": ["Accepted"], "emits": {"Validated": "Triaged"}, "writes": {"Triaged.v1": {"queue": "string"}}},
    "billing": FLOW["billing"] | {"reads": {"validation": {"priority": "string"}, "triage": {"queue": "string"}}},
}
RENAMED: Steps = FLOW | {
    "validation": FLOW["validation"] | {"emits": {"Accepted": "Valid"}},
    "billing": FLOW["billing"] | {"on": ["Accepted"]},
}
SHORTENED: Steps = {
    "ticket": FLOW["ticket"],
    "validation": FLOW["validation"] | {"ends": ["Validated"]},
}
BROKEN: Steps = FLOW | {
    "validation": FLOW["validation"] | {"writes": {"Valid.v1": {"priority": "string"}, "Valid.v2": {"rank": "long"}}}
}
TWICE: Steps = FLOW | {
    "billing": FLOW["billing"] | {"on": ["Created", "Validated"], "reads": {}},
}


@pytest.fixture
def lay(here: Path) -> Callable[..., str]:
    """Write steps into a folder of the current one, `schemas` by default, and return its name."""

    def write(steps: Steps, folder: str = "schemas", *, workflow: str = "ticket") -> str:
        for name, text in files(steps, workflow=workflow).items():
            (here / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (here / folder / name).write_bytes(text)
        return folder

    return write


@pytest.fixture
def plan(lay: Callable[..., str], stamp: Callable[..., Any]) -> Callable[..., Any]:
    """Return what the command does about steps that were FLOW."""

    def run(now: Steps, *options: str) -> Any:
        return stamp("plan", lay(now), "--against", lay(FLOW, "before"), *options)

    return run


@pytest.fixture
def git(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run git in a new repository, which is the current folder."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> str:
        return subprocess.run(("git", *arguments), cwd=here, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def test_phases_are_told_with_their_steps_and_why_they_wait(plan):
    done = plan(INSERTED)
    assert done.exit_code == 0, done.output
    expected = """\
ticket: order of deployment, from before

  1  triage

  2  validation
     waits for phase 1, as before that
     - billing as it runs now would get none of its events

  3  billing
     waits for phase 2, as before that
     - billing with its new contract reads triage, which would not have contributed on every way to
       it

Deploy the steps of a phase in any order; begin the next one when all of it runs everywhere.
"""
    assert done.stdout == expected


def test_a_step_that_goes_is_among_them(plan):
    done = plan(SHORTENED)
    assert done.exit_code == 0
    assert "  1  billing (removed), validation\n" in done.stdout
    assert "phase" not in done.stdout


def test_where_no_order_is_safe_the_obstacles_and_the_way_out_are_told(plan):
    done = plan(RENAMED)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "ticket: no order of deployment is safe, from before"
    assert "     - billing does not listen to Accepted yet, which would be published" in lines
    assert [line.split(":")[0] for line in lines[lines.index("  The way out") :] if ": " in line] == [
        "     - Expand",
        "     - Contract",
    ]
    assert "stamp check" not in done.stdout


def test_errors_that_no_order_mends_are_counted(plan):
    done = plan(BROKEN)
    assert done.exit_code == 1
    assert done.stdout.endswith("`stamp check` finds 1 error, which no order of deployment mends.\n")


TWO_READERS: Steps = BROKEN | {"archive": BROKEN["billing"]}
"""What breaks two steps: one error at two of them."""


@pytest.mark.parametrize("now", [FLOW, INSERTED, RENAMED, SHORTENED, BROKEN, TWO_READERS, TWICE])
def test_exit_status_and_counts_are_those_of_a_check(now, plan, stamp):
    planned, checked = plan(now), stamp("check", "schemas", "--against", "before", "--no-prove")
    assert planned.exit_code == checked.exit_code
    document = json.loads(plan(now, "--format", "json").stdout)
    found = json.loads(stamp("check", "schemas", "--against", "before", "--no-prove", "--format", "json").stdout)
    assert (document["summary"], document["failed"]) == (found["summary"], found["failed"])
    if "`stamp check` finds" in planned.stdout:
        (told,) = re.findall(r"finds ([0-9]+ errors?)", planned.stdout)
        assert re.search(rf"^{told}\b", checked.stdout, re.MULTILINE)


def test_an_error_that_is_accepted_does_not_fail_it(plan, here):
    (here / "stamp.toml").write_text(
        '[[accept]]\nrule = "step-triggered-twice"\npath = "billing"\nreason = "it is idempotent"\n'
    )
    done = plan(TWICE)
    assert (done.exit_code, "stamp check" in done.stdout) == (0, False)


def test_what_is_accepted_is_told(plan, here):
    assert "\naccepted" not in plan(RENAMED).stdout
    assert json.loads(plan(RENAMED, "--format", "json").stdout)["accepted"] == []
    (here / "stamp.toml").write_text(
        '[[accept]]\nrule = "no-safe-order"\npath = "ticket"\nreason = "all stops"\nuntil = 2030-01-01\n'
    )
    done = plan(RENAMED, "--today", "2029-12-31")
    assert done.exit_code == 0
    assert re.search(
        r"^accepted ticket: there is no safe order[^[]*: all stops, until 2030-01-01", done.stdout, re.MULTILINE
    )
    assert re.search("#### Accepted\n\n.*no-safe-order: all stops, until", plan(RENAMED, "--format", "markdown").stdout)
    (accepted,) = json.loads(plan(RENAMED, "--format", "json").stdout)["accepted"]
    assert (accepted["rule"], accepted["reason"], accepted["until"]) == ("no-safe-order", "all stops", "2030-01-01")


@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_a_change_that_accepts_its_own_errors_is_told_as_a_check_does(format_, git, lay, stamp, here):
    lay(FLOW)
    git("add", ".")
    git("commit", "-qm", "one")
    rmtree(here / "schemas")
    lay(TWICE)
    (here / "stamp.toml").write_text(
        '[[accept]]\nrule = "step-triggered-twice"\npath = "billing"\nreason = "it is idempotent"\n'
    )
    done = stamp("plan", "schemas", "--against", "HEAD", "--format", format_)
    assert done.exit_code == 0, done.output
    assert "it is idempotent" in done.stdout
    assert "acceptance-changed" in done.stdout or "acceptance_changed" in done.stdout
    assert "is accepted by this change itself" in " ".join(done.stdout.split())


def test_a_folder_without_contracts_is_a_mistake(plan, stamp, lay):
    lay(FLOW, "before")
    Path("schemas").mkdir()
    for more in ([], ["--require-baseline"]):
        done = stamp("plan", "schemas", "--against", "before", *more)
        assert (done.exit_code, "got none, while before has some: is it the right folder?" in done.stderr) == (2, True)


def test_nothing_to_deploy_is_said(plan):
    done = plan(FLOW)
    assert (done.exit_code, done.stdout) == (
        0,
        "Nothing to deploy: no service does anything else than in before\n",
    )


def test_lines_fit_where_they_go(plan, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, plan(RENAMED).stdout.splitlines())) <= 60


@pytest.mark.parametrize(("now", "is_safe"), [(FLOW, True), (INSERTED, True), (RENAMED, False)])
def test_json_has_all_of_it(now, is_safe, plan):
    done = plan(now, "--format", "json")
    document = json.loads(done.stdout)
    known = {"version", "schemas", "baselines", "safe", "errors", "failed", "summary", "rollouts"}
    assert set(document) == known | {"accepted", "acceptance_changed"}
    assert (document["version"], document["schemas"], document["baselines"]) == (1, "schemas", ["before"])
    assert document["safe"] is is_safe is (done.exit_code == 0)
    assert document["errors"] == 0
    for rollout in document["rollouts"]:
        assert set(rollout) == {"workflow", "baseline", "safe", "phases", "obstacles", "ways_out", "handovers"}
        assert bool(rollout["phases"]) is not bool(rollout["obstacles"])
    if now is INSERTED:
        assert [phase["steps"] for phase in document["rollouts"][0]["phases"]] == [
            ["triage"],
            ["validation"],
            ["billing"],
        ]


@pytest.mark.parametrize("now", [FLOW, INSERTED, RENAMED, BROKEN])
def test_markdown_is_a_heading_and_lists(now, plan):
    text = plan(now, "--format", "markdown").stdout
    tokens = MarkdownIt("commonmark").parse(text)
    assert text.startswith("### stamp plan\n")
    assert sum(token.type == "ordered_list_open" for token in tokens) == (now is INSERTED)
    assert not any(token.type == "html_block" for token in tokens)


def test_one_workflow_alone(lay, stamp):
    lay(RENAMED)
    lay(RENAMED, workflow="order")
    lay(FLOW, "before")
    lay(FLOW, "before", workflow="order")
    said = stamp("plan", "--against", "before").stdout
    assert ("ticket: no order" in said, "order: no order" in said) == (True, True)
    said = stamp("plan", "--against", "before", "--workflow", "order").stdout
    assert ("ticket: no order" in said, "order: no order" in said) == (False, True)
    done = stamp("plan", "--against", "before", "--workflow", "orders")
    assert (done.exit_code, "expected a workflow, one of order, ticket, got 'orders'" in done.stderr) == (2, True)


class TestBaseline:
    """What is compared with when nobody says."""

    def test_is_where_this_branch_left_the_main_branch(self, git, lay, stamp):
        lay(FLOW)
        git("add", "-A")
        git("commit", "-qm", "a")
        git("checkout", "-qb", "change")
        lay(INSERTED)
        commit = git("rev-parse", "main")[:10]
        assert f"from main ({commit})\n" in stamp("plan").stdout
        git("update-ref", "refs/remotes/origin/master", "main")
        assert f"from origin/master ({commit})\n" in stamp("plan").stdout
        git("update-ref", "refs/remotes/origin/main", "main")
        assert f"from origin/main ({commit})\n" in stamp("plan").stdout
        git("update-ref", "refs/remotes/origin/trunk", "main")
        git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
        assert f"from origin/trunk ({commit})\n" in stamp("plan").stdout

    def test_is_a_branch_though_a_folder_is_called_so(self, git, lay, stamp):
        lay(FLOW)
        lay(INSERTED, "main")
        git("add", "-A")
        git("commit", "-qm", "a")
        done = stamp("plan")
        assert (done.exit_code, done.stdout[:18]) == (0, "Nothing to deploy:")

    def test_is_asked_for_where_there_is_none(self, git, lay, stamp):
        lay(FLOW)
        git("checkout", "-qb", "change")
        git("add", "-A")
        git("commit", "-qm", "a")
        done = stamp("plan")
        assert done.exit_code == 2
        assert (
            "expected a branch origin/main, origin/master, main or master, got none: say with --against" in done.stderr
        )

    def test_is_asked_for_outside_of_a_repository(self, here, monkeypatch, lay, stamp):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
        lay(FLOW)
        done = stamp("plan")
        assert done.exit_code == 2
        assert "not a git repository" in done.stderr
        assert "say with --against what runs now" in done.stderr


def test_nothing_heavy_is_imported():
    program = "import sys, stamp.cli.plan, stamp.cli.render.plan_text; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {"rich", "kombu", "sqlalchemy", "pydantic", "fastavro", "tomllib"}.isdisjoint(done.stdout.split())


class TestByHand:
    """Where no announcement arrives, it is said who must be given which contract before whom."""

    WIDER: Steps = FLOW | {
        "validation": FLOW["validation"]
        | {"writes": {"Valid.v1": {"priority": "string"}, "Valid.v2": {"priority": "string", "note": "string"}}}
    }
    GIVEN = {"phase": 1, "step": "validation", "versions": ["Valid.v2"], "to": ["billing"]}

    def handovers(self, done) -> list[Any]:
        assert done.exit_code == 0
        [rollout] = json.loads(done.stdout)["rollouts"]
        return rollout["handovers"]

    def test_announcements_reach_services_by_themselves(self, plan):
        assert self.handovers(plan(self.WIDER, "--format", "json")) == []
        assert "by hand" not in plan(self.WIDER).stdout

    @pytest.mark.parametrize(("step", "expected"), [("billing", [GIVEN]), ("ticket", []), ("validation", [])])
    def test_a_step_that_is_named_is_given_what_it_reads(self, plan, step, expected):
        assert self.handovers(plan(self.WIDER, "--by-hand", step, "--format", "json")) == expected

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ('store = "none"', [GIVEN]),
            ('store = "none"\nbroker = "amqp://guest:guest@127.0.0.1//"', []),
            ('store = "sqlite:///stamp.db"', []),
        ],
    )
    def test_without_a_store_and_a_broker_of_ours_all_are(self, plan, here, settings, expected):
        (here / "stamp.toml").write_text(settings)
        assert self.handovers(plan(self.WIDER, "--format", "json")) == expected

    def test_who_was_deployed_in_an_earlier_phase_has_it(self, plan):
        view = [{"name": "priority", "type": "string", "default": ""}]
        writes = {"Valid.v1": {"priority": "string"}, "Valid.v2": {"note": "string"}}
        now = FLOW | {
            "validation": FLOW["validation"] | {"writes": writes},
            "billing": FLOW["billing"] | {"reads": {"validation": view}},
        }
        done = plan(now, "--by-hand", "billing", "--format", "json")
        [rollout] = json.loads(done.stdout)["rollouts"]
        assert [phase["steps"] for phase in rollout["phases"]] == [["billing"], ["validation"]]
        assert self.handovers(done) == []

    def test_people_are_told_in_the_phase(self, plan):
        said = " ".join(plan(self.WIDER, "--by-hand", "billing").stdout.split())
        assert (
            "1 validation before it, by hand, for nothing tells these services - give Valid.v2 of validation to billing"
            in said
        )
        markdown = plan(self.WIDER, "--by-hand", "billing", "--format", "markdown").stdout
        assert "- before it: give `Valid.v2` of `validation` to `billing` by hand" in markdown

    def test_a_step_that_is_misspelt_is_refused(self, plan):
        done = plan(self.WIDER, "--by-hand", "biling")
        assert (done.exit_code, "expected a step, one of billing, ticket, validation" in done.stderr) == (2, True)
