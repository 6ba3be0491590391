"""`stamp check`: exit statuses, what people are told, baselines from git, and what programs get."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from stamp.cli import check, terminal
from stamp.cli.main import cli
from stamp.cli.render import check_json, check_text
from stamp.cli.render.same import _of_several
from stamp.cli.verdict import Verdict
from stamp.compat import Finding, Severity
from stamp.ripple import Impact, read_folder, ripple

JSON = dict[str, Any]
Git = Callable[..., str]
TICKET = Path("schemas/ticket")
VALIDATED = TICKET / "validation" / "Validated.v2.avsc"


@pytest.fixture(autouse=True)
def ticket(root: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's contracts in `schemas` of the current folder, and the same in `main`."""
    for name in ("schemas", "main"):
        shutil.copytree(root / "schemas/ticket", here / name / "ticket")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR", "NO_COLOR", "STAMP_SCHEMAS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    return here / "schemas/ticket"


def edit(file: Path, change: Callable[[JSON], None], to: Path | None = None) -> None:
    document = json.loads(file.read_text("utf-8"))
    change(document)
    (to or file).write_text(json.dumps(document, indent=2), "utf-8")


def release(record: str, change: Callable[[JSON], None]) -> None:
    edit(TICKET / f"{record}.v1.avsc", change, TICKET / f"{record}.v2.avsc")


def field(record: JSON, name: str) -> JSON:
    return next(each for each in record["fields"] if each["name"] == name)


def nothing() -> None:
    pass


def reformatted() -> None:
    for file in TICKET.rglob("*.avsc"):
        edit(file, lambda schema: schema.update(doc="another one"))


def urgent() -> None:
    release("validation/Validated", lambda record: field(record, "priority")["type"]["symbols"].append("URGENT"))


def urgent_and_its_reader_knows() -> None:
    urgent()
    edit(
        TICKET / "assignment/reads/validation.avsc",
        lambda view: field(view, "priority")["type"]["symbols"].append("URGENT"),
    )


def other_time() -> None:
    release("ticket/Ticket", lambda record: field(record, "created_at").update(type="string"))


def no_comment() -> None:
    release("survey/Surveyed", lambda record: record["fields"].remove(field(record, "comment")))


def no_notification() -> None:
    shutil.rmtree(TICKET / "notification")


def solved() -> None:
    edit(TICKET / "resolution/step.json", lambda step: step.update(emits={"TicketSolved": "Resolved"}))
    edit(TICKET / "billing/step.json", lambda step: step.update(on=["TicketSolved"]))


def other_workflow() -> None:
    shutil.copytree(TICKET, "schemas/order", dirs_exist_ok=True)
    for file in Path("schemas/order").glob("*/step.json"):
        edit(file, lambda step: step.update(workflow="order"))
    urgent()


def accepted() -> None:
    urgent()
    Path("stamp.toml").write_text(
        '[[accept]]\nrule = "view-breaks"\npath = "validation.*"\nreason = "closed for a week"\nuntil = 2030-01-01\n'
    )


def accepted_in_vain() -> None:
    accepted()
    shutil.copytree("main", "schemas", dirs_exist_ok=True)
    VALIDATED.unlink()


def not_json() -> None:
    (TICKET / "billing/step.json").write_text("{")


def no_contracts() -> None:
    shutil.rmtree("schemas/ticket")
    shutil.rmtree("main/ticket")


def all_deleted() -> None:
    shutil.rmtree("schemas/ticket")


AGAINST = ["--against", "main"]
CLEAN = "nothing found in schemas"

CASES: list[tuple[Callable[[], None], list[str], int, list[str]]] = [
    (nothing, [], 0, [f"{CLEAN}: 7 steps, 13 pairs of a view and a version\n"]),
    (nothing, ["schemas"], 0, [CLEAN]),
    (nothing, AGAINST, 0, [f"{CLEAN} against main: 7 steps"]),
    (nothing, [*AGAINST, "--fail-on", "info"], 0, [CLEAN]),
    (nothing, ["--mode", "full-transitive"], 0, [CLEAN]),
    (nothing, ["--mode", "Backward_Transitive"], 0, [CLEAN]),
    (nothing, ["--workflow", "ticket"], 0, [CLEAN]),
    (nothing, ["--prove"], 0, ["13 pairs of a view and a version, 13 of them proved by 1"]),
    (reformatted, AGAINST, 0, [CLEAN]),
    # what is good to know
    (
        no_comment,
        AGAINST,
        0,
        ["info     survey.comment has no reader", "[field-unread]", "deploy   survey\n", "1 info in"],
    ),
    (no_comment, [*AGAINST, "--fail-on", "info"], 1, ["1 info in schemas against main"]),
    # what goes well in the right order
    (
        urgent_and_its_reader_knows,
        AGAINST,
        0,
        [
            "warning  assignment as it runs now cannot read validation.priority",
            "reader   main/ticket/assignment/reads/validation.avsc:29:20",
            "fix      deploy assignment everywhere before validation",
            "deploy   1  assignment\n           2  validation\n",
            "[enum-extended-without-default]",
            "1 warning, 1 info in",
        ],
    ),
    (urgent_and_its_reader_knows, [*AGAINST, "--fail-on", "warning"], 1, ["1 warning, 1 info"]),
    # who breaks
    (
        urgent,
        AGAINST,
        1,
        [
            "error    assignment cannot read validation.priority as validation writes it (Validated.v2)",
            "got also URGENT",
            "[missing-enum-symbols]",
            "reader   schemas/ticket/assignment/reads/validation.avsc:29:20\n",
            "writer   schemas/ticket/validation/Validated.v2.avsc:29:20\n",
            "arrives  TicketValidated\n",
            "carried  by notification, resolution, billing and survey: not broken\n",
            'witness  {"category": "NETWORK", "priority": "URGENT", "respond_within": 0.0}  bytes 000600\n',
            "→ priority: ",
            "fix      in the view: add URGENT to ticket.validation.Priority\n",
            "deploy   no order is safe as long as the new contracts are broken\n",
            "way out  Expand: ",
            "1 error in schemas against main",
            "`stamp explain missing-enum-symbols` says more",
        ],
    ),
    (urgent, [], 1, ["error    assignment cannot read validation.priority", "1 error in schemas:"]),
    (urgent, ["--no-prove"], 1, ["[missing-enum-symbols]"]),
    (
        urgent,
        ["--mode", "forward"],
        1,
        [
            "error    Validated.v1 of validation cannot read priority of Validated.v2, and FORWARD asks for it",
            "2 errors",
        ],
    ),
    (urgent, ["--mode", "backward"], 1, ["1 error in"]),
    (
        other_time,
        AGAINST,
        1,
        [
            "error    resolution and survey cannot read ticket.created_at",
            "arrives  resolution: TicketCreated → TicketValidated",
            '{"created_at": "", …}',
            "let resolution and survey read ticket.created_at of Ticket.v1",
            "1 error at 2 steps in",
        ],
    ),
    (
        no_notification,
        AGAINST,
        1,
        [
            "error    resolution starves",
            "[step-starved]",
            "where    schemas/ticket/resolution/step.json:4:9",
            "3 errors",
        ],
    ),
    (
        solved,
        AGAINST,
        1,
        [
            "error    ticket: there is no safe order of deployment, see below",
            "deploy   no order is safe:\n",
            "- billing ",
        ],
    ),
    (other_workflow, ["--workflow", "ticket"], 1, ["1 error in schemas: 7 steps"]),
    (other_workflow, ["--workflow", "order"], 0, [f"{CLEAN}: 7 steps"]),
    # what is accepted
    (
        accepted,
        [*AGAINST, "--today", "2029-12-31"],
        0,
        ["accepted assignment cannot read", ": closed for a week, until 2030-01-01", "1 accepted in"],
    ),
    (accepted, [*AGAINST, "--today", "2030-01-02"], 1, ["[acceptance-expired]", "error    assignment cannot read"]),
    (accepted_in_vain, [*AGAINST, "--today", "2029-12-31", "--fail-on", "warning"], 1, ["[acceptance-unused]"]),
    (accepted_in_vain, ["--today", "2029-12-31", "--fail-on", "warning"], 0, [CLEAN]),
    # what could not run
    (not_json, [], 2, ["Error: schemas/ticket/billing/step.json:1: expected JSON"]),
    (nothing, ["elsewhere"], 2, ["Error: elsewhere: expected a contracts folder, got none"]),
    (nothing, ["schemas/ticket"], 2, ["got that of a workflow: say schemas\n"]),
    (
        no_contracts,
        [],
        2,
        ["Error: schemas: expected <workflow>/<step>/step.json in the contracts folder, got none"],
    ),
    (
        no_contracts,
        AGAINST,
        2,
        ["Error: main: expected a contracts folder, with <workflow>/<step>/step.json, got none"],
    ),
    *(
        (all_deleted, [*AGAINST, *more], 2, ["in the contracts folder, got none, while main has some"])
        for more in ([], ["--require-baseline"], ["--workflow", "ticket"])
    ),
    (nothing, ["--workflow", "tickets"], 2, ["expected a workflow, one of ticket, got 'tickets'"]),
    (
        nothing,
        ["--against", ""],
        2,
        ["expected a branch, tag, commit, folder, .tar file, store: or broker: after --against, got nothing"],
    ),
    (nothing, ["--against", "base.tar"], 2, ["Error: base.tar: expected a .tar file that can be read, got none"]),
    (nothing, ["--mode", "sideways"], 2, ["Invalid value for '--mode'"]),
    (nothing, ["--format", "yaml"], 2, ["Invalid value for '--format'"]),
    (nothing, ["--fail-on", "never"], 2, ["Invalid value for '--fail-on'"]),
    (nothing, ["--today", "tomorrow"], 2, ["Invalid value for '--today'"]),
]


@pytest.mark.parametrize(
    ("situation", "arguments", "status", "parts"),
    CASES,
    ids=[f"{situation.__name__} {' '.join(arguments)}" for situation, arguments, *_ in CASES],
)
def test_what_is_said_and_the_exit_status(situation, arguments, status, parts, stamp):
    situation()
    result = stamp("check", *arguments)
    said = result.stderr if status == 2 else result.stdout
    unwrapped = re.sub(r"\n +", " ", said)
    for part in parts:
        assert part in said or part in unwrapped
    assert result.exit_code == status
    assert (result.stdout if status == 2 else result.stderr) == ""


# ---- the text


@pytest.mark.parametrize("columns", [40, 59, 60, 90, 500])
def test_lines_fit_unless_a_name_is_longer(columns, stamp, monkeypatch):
    other_time()
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = stamp("check", *AGAINST).stdout.splitlines()
    assert max(len(line) for line in lines if "schemas/" not in line) <= min(columns, 120)


def test_the_same_cause_of_several_steps_is_told_once(stamp):
    other_time()
    assert stamp("check", *AGAINST).stdout.count("expected timestamp-micros") == 1


def test_without_proof_nothing_is_shown_by_data(stamp):
    urgent()
    said = stamp("check", "--no-prove").stdout
    assert "witness" not in said
    assert "fix " not in said


def test_when_there_is_no_time_that_is_said(stamp, monkeypatch):
    urgent()
    monkeypatch.setattr(check, "TIME", -1.0)
    assert "there was no time to show by data 1 finding of single fields and versions: `--prove` takes it" in " ".join(
        stamp("check").stdout.split()
    )
    assert "witness" in stamp("check", "--prove").stdout


@pytest.mark.parametrize(("is_terminal", "patience"), [(True, -1.0), (True, 60.0), (False, -1.0)])
def test_a_terminal_is_told_how_far_things_are_when_they_take_long(is_terminal, patience, stamp, monkeypatch, capsys):
    monkeypatch.setattr(check, "PATIENCE", patience)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    with pytest.raises(SystemExit):
        cli(["check", "--prove"])
    told = capsys.readouterr()
    assert told.out.startswith(CLEAN)
    is_told = is_terminal and patience < 0
    assert ("proved 0 of 13 pairs\rproved" in told.err.replace("\r\r", "\r")) is is_told
    assert told.err.endswith(" \r") is is_told


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, False),
    ],
)
def test_colours_are_where_they_are_wanted(variables, is_coloured, stamp, monkeypatch):
    urgent()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[31m" in stamp("check").stdout) is is_coloured


def test_colours_change_no_letter(stamp, monkeypatch):
    other_time()
    plain = stamp("check", *AGAINST).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert click.unstyle(stamp("check", *AGAINST).stdout) == plain


def test_where_our_signs_cannot_be_written_there_are_plain_ones():
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding=name) for name in ("ascii", "latin-1", "utf-8")}
    spelled = {name: terminal.spelled("a → b …", stream) for name, stream in streams.items()}
    assert spelled == {"ascii": "a -> b ...", "latin-1": "a -> b ...", "utf-8": "a → b …"}


def verdict(*impacts: Impact) -> Verdict:
    report = ripple(read_folder("schemas"), today=date(2026, 11, 23))
    return Verdict(
        report=replace(report, impacts=impacts), schemas=Path("schemas"), baselines=(), fail_on=Severity.ERROR
    )


def impact(text: str, severity: Severity = Severity.ERROR) -> Impact:
    cause = Finding(rule="type-mismatch", severity=severity, path=text, message=f"cause {text}")
    finding = Finding(rule="view-breaks", severity=severity, path=text, message=text, causes=(cause,))
    return Impact(
        finding=finding, workflow=text, consumer=text, producer=text, carriers=(text,), routes=((text, text),)
    )


@pytest.mark.parametrize("severity", list(Severity))
def test_nothing_that_a_terminal_acts_on_gets_through(severity):
    shown = click.unstyle(check_text.render(verdict(impact("a\x1b[31m\u202eb\nc", severity))))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)
    assert r"\x1b[31m\u202eb\nc" in shown


def test_many_infos_are_counted():
    shown = check_text.render(verdict(*(impact(f"field{number}", Severity.INFO) for number in range(20))))
    assert "and 8 infos more" in shown


# ---- baselines


@pytest.fixture
def git(here: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Return `git(*arguments)`; the contracts are on `main` as `v1`, the present branch is `feature`."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CEILING_DIRECTORIES": str(here.parent),
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> str:
        return subprocess.run(("git", *arguments), check=True, capture_output=True, text=True).stdout.strip()

    shutil.rmtree("main")
    run("init", "--quiet", "--initial-branch=main")
    run("add", "schemas")
    run("commit", "--quiet", "--message=one")
    run("tag", "v1")
    run("switch", "--quiet", "--create=feature")
    return run


def commit(git: Git, message: str) -> None:
    git("add", "schemas")
    git("commit", "--quiet", f"--message={message}")


@pytest.mark.parametrize("name", ["main", "v1", "HEAD", "refs/heads/main"])
def test_a_revision_is_a_baseline(name, git, stamp):
    no_comment()
    sha = git("rev-parse", "v1")
    result = stamp("check", "--against", name)
    assert result.exit_code == 0
    assert f"1 info in schemas against {name} ({sha[:10]})" in result.stdout


def test_a_commit_is_a_baseline(git, stamp):
    no_comment()
    sha = git("rev-parse", "v1")
    assert f"against {sha}" in stamp("check", "--against", sha, "--format", "text").stdout.replace("\n", " ")


def test_what_others_did_meanwhile_is_not_taken_for_a_change_of_this_branch(git, stamp):
    git("switch", "--quiet", "main")
    no_comment()
    commit(git, "two")
    git("switch", "--quiet", "feature")
    assert "nothing found" in stamp("check", "--against", "main").stdout


def test_several_baselines_are_compared_with_at_once(git, stamp):
    no_comment()
    commit(git, "two")
    git("tag", "v2")
    urgent_and_its_reader_knows()
    said = stamp("check", "--against", "v1", "--against", "v2", "--against", "v1").stdout
    assert said.count("assignment as it runs now cannot read validation.priority") == 1
    assert re.search(r"against  v1 \(\w{10}\) and v2 \(\w{10}\)\n", said)
    assert "deploy   ticket, from v1" in said
    assert "deploy   ticket, from v2" in said
    document = json.loads(stamp("check", "--against", "v1", "--against", "v2", "--format", "json").stdout)
    assert len(document["baselines"]) == len(document["rollouts"]) == 2


def test_what_a_baseline_has_already_is_marked(git, stamp):
    urgent()
    commit(git, "two")
    said = stamp("check", "--against", "HEAD")
    assert "[view-breaks, known]" in said.stdout
    assert said.exit_code == 1


def test_a_shallow_clone_gets_the_line_that_helps(git, here, stamp, monkeypatch):
    no_comment()
    commit(git, "two")
    git("clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{here}", "clone")
    monkeypatch.chdir("clone")
    for name in ("origin/main", "HEAD~1"):
        result = stamp("check", "--against", name)
        assert result.exit_code == 2
        assert "run `git fetch --unshallow`" in result.stderr
    missing = stamp("check", "--against", "origin/other")
    assert "run `git fetch --unshallow origin other:refs/remotes/origin/other`" in missing.stderr


def test_a_revision_without_the_folder_is_told_and_the_line_that_helps_works(git, stamp):
    git("mv", "schemas", "contracts")
    git("commit", "--quiet", "--message=moved")
    sha = git("rev-parse", "--short=10", "main")
    for command in ("check", "plan"):
        result = stamp(command, "contracts", "--against", "main", "--format", "json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["baselines"] == [f"main ({sha})"]
        assert result.stderr.startswith(f"main ({sha}) has no contracts in contracts: all of it counts as new. If")
        line = re.search(r": git (archive .*), then (--against) (old.tar)\n", result.stderr)
        git(*line[1].replace("OLD", "schemas").split())
        result = stamp(command, "contracts", line[2], line[3])
        assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("here_", "given", "kind", "say"),
    [
        (".", "schemas/ticket", "workflow", "schemas"),
        (".", "schemas/ticket/billing", "step", "schemas"),
        ("schemas", "ticket", "workflow", "."),
        ("schemas", "ticket/billing", "step", "."),
        ("schemas/ticket", ".", "workflow", ".."),
        ("schemas/ticket", "billing", "step", ".."),
        ("schemas/ticket/billing", ".", "step", "../.."),
        ("schemas/ticket/billing", "..", "workflow", "../.."),
    ],
)
def test_a_folder_too_far_inside_gets_the_one_to_say(here_, given, kind, say, stamp, monkeypatch):
    monkeypatch.chdir(here_)
    result = stamp("check", given)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {given}: expected a contracts folder, got that of a {kind}: say {say}\n"
    assert stamp("check", say).exit_code == 0


def test_a_folder_or_a_tar_file_without_contracts_is_refused(stamp, here):
    (here / "empty").mkdir()
    with tarfile.open("empty.tar", "w") as archive:
        archive.add("empty")
    for given in ("empty", "empty.tar"):
        result = stamp("check", "--against", given)
        assert result.exit_code == 2
        assert f"Error: {given}: expected " in result.stderr


def test_no_repository_is_no_crash(stamp, monkeypatch, here):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    result = stamp("check", "--against", "origin/main")
    assert result.exit_code == 2
    assert "git" in result.stderr


def test_a_tar_file_is_a_baseline(stamp):
    with tarfile.open("before.tar", "w") as archive:
        archive.add("main", "project/schemas")
    no_comment()
    result = stamp("check", "--against", "before.tar")
    assert (result.exit_code, "1 info in schemas against before.tar" in result.stdout) == (0, True)


# ---- what programs get

SCHEMA = json.loads(files("stamp").joinpath("cli", "check.schema.json").read_text("utf-8"))


def test_the_published_schema_is_that_of_the_package(root):
    published = root / "schemas/stamp/check.schema.json"
    assert published.read_bytes() == files("stamp").joinpath("cli", "check.schema.json").read_bytes()
    Draft202012Validator.check_schema(SCHEMA)


def objects(schema: Any) -> list[JSON]:
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [schema] if isinstance(schema, dict) and "properties" in schema and "type" in schema else []
    return own + [found for child in children for found in objects(child)]


def test_the_schema_is_closed_and_everything_is_required():
    assert len(objects(SCHEMA)) > 8
    for each in objects(SCHEMA):
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])


SITUATIONS = [
    nothing,
    urgent,
    urgent_and_its_reader_knows,
    no_comment,
    no_notification,
    solved,
    accepted,
    accepted_in_vain,
]


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("more", [[], AGAINST, [*AGAINST, "--mode=FULL", "--prove"], ["--no-prove"]])
def test_json_is_what_the_schema_says_and_agrees_with_the_exit_status(situation, more, stamp):
    situation()
    result = stamp("check", "--format", "json", "--today", "2029-12-31", *more)
    document = json.loads(result.stdout)
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    assert (document["version"], document["failed"]) == (check_json.VERSION, result.exit_code == 1)
    told = [each for each in document["impacts"] if each["accepted"] is None]
    for severity in Severity:
        assert document["summary"][severity] == sum(each["severity"] == severity for each in told)
    assert (document["proof"] is None) is ("--no-prove" in more)


def test_json_has_all_there_is_about_an_error(stamp):
    urgent()
    document = json.loads(stamp("check", *AGAINST, "--format", "json").stdout)
    (error,) = [each for each in document["impacts"] if each["severity"] == "error"]
    assert (error["rule"], error["path"]) == ("view-breaks", "validation.priority")
    assert (error["workflow"], error["consumer"], error["producer"]) == ("ticket", "assignment", "validation")
    assert (error["versions"], error["routes"]) == (["Validated.v2"], [["TicketValidated"]])
    (cause,) = error["causes"]
    assert cause["reader"]["file"] == "schemas/ticket/assignment/reads/validation.avsc"
    assert (cause["writer"]["line"], cause["writer"]["column"]) == (29, 20)
    assert json.loads(cause["witness"]["datum"])["priority"] == "URGENT"
    assert cause["witness"]["data"] == "000600"
    assert "URGENT" in cause["fix"]["schema"]
    (rollout,) = document["rollouts"]
    assert (rollout["safe"], rollout["phases"]) == (False, [])
    assert rollout["ways_out"]


@pytest.mark.parametrize("format_", check.FORMATS)
def test_every_format_is_rendered(format_, stamp):
    urgent()
    result = stamp("check", *AGAINST, "--format", format_)
    assert result.exit_code == 1
    assert "missing-enum-symbols" in result.stdout or format_ == "gitlab"
    assert result.stderr == ""


def test_only_what_is_asked_for_is_imported():
    program = (
        "import sys\nfrom stamp.cli.main import cli\n"
        "try: cli(['check', 'schemas', '--against', 'main'])\n"
        "except SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "nothing found" in done.stdout
    assert {"fastavro", "jsonschema", "kombu", "pydantic", "rich", "xml"}.isdisjoint(done.stderr.split())


def test_steps_of_one_phase_go_in_any_order(stamp):
    no_comment()
    edit = Path("schemas/ticket/billing/step.json")
    said = json.loads(edit.read_text("utf-8"))
    edit.write_text(json.dumps({**said, "fails": "BillingFailed"}), encoding="utf-8")
    assert "deploy   billing and survey in any order\n" in stamp("check", *AGAINST).stdout


def test_what_is_accepted_is_said_where_no_order_is_safe(stamp):
    urgent()
    Path("stamp.toml").write_text('[[accept]]\nrule = "view-breaks"\npath = "validation.*"\nreason = "off"\n')
    result = stamp("check", *AGAINST)
    assert result.exit_code == 0
    assert "nothing found, 1 accepted" in result.stdout
    assert "as long as the new contracts are broken (accepted)\n" in result.stdout


def test_what_several_steps_do_is_said_of_several():
    assert _of_several(" as it runs now cannot read x") == " as they run now cannot read x"
    assert _of_several(" reads x") == " read x"
    assert _of_several(" as it runs now reads x") == " as they run now read x"


# ---- GitHub


@pytest.fixture
def summary(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    (here / "summary.md").write_text("before\n")
    return here / "summary.md"


def test_on_github_annotations_choose_themselves_and_the_summary_is_written(summary, stamp):
    urgent()
    result = stamp("check", *AGAINST)
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=schemas/ticket/assignment/reads/validation.avsc,line=29,col=20,")
    assert summary.read_text("utf-8").startswith("before\n### stamp check: 1 error")


@pytest.mark.parametrize("is_broken", [True, False])
def test_a_summary_that_cannot_be_written_is_a_warning(is_broken, summary, stamp):
    summary.unlink()
    summary.mkdir()
    if is_broken:
        urgent()
    result = stamp("check", *AGAINST)
    assert result.exit_code == is_broken
    assert result.stderr.startswith(f"warning: {summary}: GITHUB_STEP_SUMMARY cannot be written: ")


def test_a_format_that_was_asked_for_is_kept_on_github(summary, stamp):
    assert CLEAN in stamp("check", "--format", "text").stdout
    assert "### stamp check" in summary.read_text("utf-8")


def test_elsewhere_no_summary_is_written(summary, stamp, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert CLEAN in stamp("check").stdout
    assert summary.read_text("utf-8") == "before\n"


# -- code


def test_contracts_that_code_has_left_behind_are_told(ticket: Path, stamp: Callable[..., Any]) -> None:
    assert stamp("check", "--code", "examples.ticket:ticket").exit_code == 0
    view = ticket / "billing/reads/ticket.avsc"
    edit(view, lambda schema: schema["fields"].pop())
    result = stamp("check", "--code", "examples.ticket:ticket")
    assert result.exit_code == 1
    assert "reads/ticket.avsc is not what the code says now: run `stamp export`" in " ".join(result.stdout.split())
    assert stamp("check", "--code", "nowhere:ticket").exit_code == 2


class TestRequireBaseline:
    """What has nothing to be compared with is said, and fails where that is asked for."""

    @pytest.mark.parametrize("command", ["check", "plan"])
    def test_a_baseline_without_contracts(self, git, stamp, command):
        git("mv", "schemas", "contracts")
        git("commit", "--quiet", "--message=moved")
        result = stamp(command, "contracts", "--against", "main")
        assert result.exit_code == 0
        assert "has no contracts in contracts: all of it counts as new" in result.stderr
        result = stamp(command, "contracts", "--against", "main", "--require-baseline")
        assert result.exit_code == 2
        assert "expected contracts in main (" in result.stderr
        assert "got none, and --require-baseline does not take all of them for new" in result.stderr

    def test_the_reports_say_so(self, git, stamp):
        git("mv", "schemas", "contracts")
        for format_ in ("text", "github", "markdown"):
            assert (
                "), which has no contracts"
                in stamp("check", "contracts", "--against", "main", "--format", format_).stdout
            )

    @pytest.mark.parametrize("command", ["check", "plan"])
    def test_a_workflow_that_the_baseline_lacks(self, git, stamp, command):
        git("mv", "schemas/ticket", "schemas/order")
        for file in Path("schemas/order").glob("*/step.json"):
            file.write_text(file.read_text().replace('"workflow": "ticket"', '"workflow": "order"'))
        result = stamp(command, "--against", "main", "--workflow", "order")
        assert result.exit_code == 0
        assert "has no contracts of order: all of it counts as new" in result.stderr
        result = stamp(command, "--against", "main", "--workflow", "order", "--require-baseline")
        assert result.exit_code == 2
        assert "expected contracts of order in main" in result.stderr

    def test_none_at_all(self, git, stamp):
        result = stamp("check", "--require-baseline")
        assert result.exit_code == 2
        assert "expected --against beside --require-baseline, got nothing to compare with" in result.stderr
        assert stamp("plan", "--require-baseline").exit_code == 0  # it takes the main branch
        result = stamp("export", "examples.ticket:ticket", "--require-baseline")
        assert "expected --squash beside --require-baseline" in result.stderr

    def test_one_with_contracts(self, git, stamp):
        for command in ("check", "plan"):
            result = stamp(command, "--against", "main", "--require-baseline")
            assert (result.exit_code, result.stderr) == (0, "")

    def test_what_is_squashed_needs_one_too(self, git, stamp):
        git("mv", "schemas", "contracts")
        result = stamp(
            "export",
            "examples.ticket:ticket",
            "--out",
            "contracts",
            "--squash",
            "--against",
            "main",
            "--require-baseline",
        )
        assert result.exit_code == 2
        assert "got none, and --require-baseline" in result.stderr


def test_a_contracts_folder_that_is_left_out_is_said_to_be(git, stamp):
    git("sparse-checkout", "set", "--no-cone", "/other")
    result = stamp("check", "schemas")
    assert result.exit_code == 2
    line = re.search(r"they are left out: run `git (.*)`", result.stderr)
    assert line, result.stderr
    git(*line[1].split())
    assert stamp("check", "schemas").exit_code == 0


class TestSettingsOfAChange:
    """What a change says of its own check is told, or refused."""

    ENTRY = '[[accept]]\nrule = "view-breaks"\npath = "validation.*"\nreason = "%s"\n'

    @pytest.fixture
    def settings(self, git):
        def write(text: str, *, at: str = "stamp.toml", committed: bool = False) -> None:
            Path(at).write_text(text)
            if committed:
                git("add", "--all")
                git("commit", "--quiet", "--message=settings")
                git("update-ref", "refs/heads/main", "HEAD")

        return write

    def told(self, stamp, *arguments: str) -> list[str]:
        result = stamp("check", "--against", "main", "--format", "json", *arguments)
        impacts = json.loads(result.stdout)["impacts"]
        return [each["message"] for each in impacts if each["rule"] == "acceptance-changed"]

    def test_a_new_entry_is_told(self, stamp, settings):
        settings(self.ENTRY % "nobody reads it")
        (said,) = self.told(stamp)
        assert said == "view-breaks at validation.* is accepted by this change itself: nobody reads it, for ever"
        assert stamp("check", "--against", "main", "--fail-on", "warning").exit_code == 1

    def test_another_day_or_reason_is_told(self, stamp, settings):
        settings(f"{self.ENTRY % 'soon'}until = 2030-01-31\n", committed=True)
        assert self.told(stamp) == []
        settings(f"{self.ENTRY % 'soon'}until = 2031-01-31\n")
        (said,) = self.told(stamp)
        assert said.startswith(
            "view-breaks at validation.* is accepted otherwise than before (soon, until 2030-01-31) by this change itself"
        )
        settings(f"{self.ENTRY % 'later'}until = 2030-01-31\n")
        assert len(self.told(stamp)) == 1

    def test_one_that_has_moved_or_gone_is_not(self, stamp, settings):
        settings(self.ENTRY % "a" + self.ENTRY.replace("view", "old-data") % "b", committed=True)
        Path("stamp.toml").unlink()
        settings("\n\n" + (self.ENTRY % "a").replace("[[accept]]", "[[tool.stamp.accept]]"), at="pyproject.toml")
        assert self.told(stamp) == []

    def test_from_another_folder(self, stamp, settings, monkeypatch):
        settings(self.ENTRY % "a", committed=True)
        monkeypatch.chdir("schemas")
        assert self.told(stamp, ".") == []

    def test_broken_settings_of_the_baseline_are_no_fault_of_the_present_ones(self, stamp, settings):
        settings("nonsense", committed=True)
        settings(self.ENTRY % "a")
        assert len(self.told(stamp)) == 1
        settings("[[accept]]\nrule = 'gone'\n" + self.ENTRY % "a", committed=True)
        settings(self.ENTRY % "a")
        assert self.told(stamp) == []

    def test_a_folder_is_compared_without_settings(self, stamp, settings, git):
        git("worktree", "add", "--quiet", "--detach", "../other", "main")
        settings(self.ENTRY % "a")
        result = stamp("check", "--against", "../other/schemas", "--format", "json")
        assert "acceptance-changed" not in result.stdout

    @pytest.mark.parametrize("has_revision", [False, True])
    def test_what_cannot_be_told_of_its_entries_is_said(self, stamp, settings, git, has_revision):
        git("archive", "--output=base.tar", "main", "schemas")
        shutil.copytree("schemas", "base")
        more = ("--against", "main") if has_revision else ()
        said = "what the settings accept is not known of"
        assert said not in stamp("check", "--against", "base.tar").stderr
        settings(self.ENTRY % "a")
        for given in ("base", "base.tar"):
            result = stamp("check", "--against", given, *more)
            assert (
                f"{said} {given}: an entry that this change brings is not told" in result.stderr
            ) is not has_revision
            assert ("acceptance-changed" in result.stdout) is has_revision

    @pytest.mark.parametrize("schemas", ["argument", "settings"])
    def test_settings_outside_of_the_repository_are_none_of_the_change(
        self, stamp, settings, git, schemas, monkeypatch, tmp_path_factory
    ):
        settings("plain", at="README.md", committed=True)
        top, outside = Path.cwd(), tmp_path_factory.mktemp("outside")
        monkeypatch.setenv("GIT_DIR", str(top / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(top))
        monkeypatch.chdir(outside)
        settings((f"schemas = '{top}/schemas'\n" if schemas == "settings" else "") + self.ENTRY % "a")
        result = stamp("check", *([top / "schemas"] if schemas == "argument" else []), "--against", "main")
        assert result.exit_code == 0, result.stderr
        assert "acceptance-changed" not in result.stdout
        assert result.stderr == ""

    LINKS = (
        {"stamp.toml": "config/stamp.toml"},
        {"stamp.toml": "config/../config/stamp.toml"},
        {"stamp.toml": "second", "second": "third", "third": "config/stamp.toml"},
        {"stamp.toml": "way/stamp.toml", "way": "config"},
    )

    @pytest.mark.parametrize("links", LINKS, ids=lambda links: " ".join(links.values()))
    def test_a_link_within_the_project_is_followed_on_both_sides(self, stamp, settings, links):
        Path("config").mkdir()
        for name, target in links.items():
            Path(name).symlink_to(target)
        settings(self.ENTRY % "a", at="config/stamp.toml", committed=True)
        assert self.told(stamp) == []
        settings(self.ENTRY % "b", at="config/stamp.toml")
        assert len(self.told(stamp)) == 1

    @pytest.mark.parametrize(
        "target", ["gone", "stamp.toml", "../outside.toml", "/etc/hostname", "schemas", "schemas/x"]
    )
    def test_a_link_of_the_baseline_that_leads_to_no_file_of_it_accepts_nothing(self, stamp, settings, git, target):
        Path("stamp.toml").symlink_to(target)
        git("add", "--all")
        git("commit", "--quiet", "--message=link")
        git("update-ref", "refs/heads/main", "HEAD")
        Path("stamp.toml").unlink()
        settings(self.ENTRY % "a")
        assert len(self.told(stamp)) == 1

    def test_the_contracts_folder_is_not_another_one_by_settings_alone(self, stamp, settings):
        shutil.copytree("schemas", "harmless")
        settings("schemas = 'harmless'")
        for command in ("check", "plan"):
            result = stamp(command, "--against", "main")
            assert result.exit_code == 2
            assert (
                "expected the contracts of schemas, the folder of the settings in main, got settings that name harmless"
                in result.stderr
            )
            assert stamp(command, "harmless", "--against", "main").exit_code == 0
        assert stamp("plan").exit_code == 2

    def test_a_link_out_of_the_project_holds_no_settings(self, stamp, git, tmp_path_factory):
        secret = tmp_path_factory.mktemp("home") / "secret.toml"
        secret.write_text("password = 'hunter2'\n")
        Path("stamp.toml").symlink_to(secret)
        result = stamp("check", "schemas")
        assert result.exit_code == 2
        assert "expected settings of this project, got a symbolic link out of it" in result.stderr
        assert "password" not in result.stderr
