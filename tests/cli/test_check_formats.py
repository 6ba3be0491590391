"""What a check says in the formats that other programs read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import escape, unescape
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from markdown_it import MarkdownIt

from stamp.cli.checkout import HERE, Checkout, checkout
from stamp.cli.render import check_github, check_gitlab, check_junit, check_markdown, check_sarif
from stamp.cli.render.location import Location, location, other_side
from stamp.cli.render.markdown import code, row, text
from stamp.cli.render.visible import visible
from stamp.cli.rulebook import RULEBOOK
from stamp.cli.verdict import Verdict
from stamp.compat import Finding, Fix, Fragment, Severity, Witness
from stamp.ripple import Acceptance, Impact, contracts_of, read_folder, ripple

FORMATS = ("sarif", "github", "gitlab", "junit", "markdown")
TODAY = date(2026, 11, 23)
HOSTILE = 'x|y `z` <b> & "q" @all #1 ![i](http://e.org) %0A,:: \n\x1b[31m\u202e\ufffe\x00{0}]]>'


@pytest.fixture
def schemas(root: Path, here: Path) -> Path:
    """A contracts folder in the current one, which a test may change."""
    shutil.copytree(root / "schemas", "schemas")
    return Path("schemas")


@pytest.fixture
def judge(root: Path, schemas: Path) -> Callable[..., Verdict]:
    """Return `judge()`: the verdict about `schemas`, compared with what it was."""

    def verdict(**more: Any) -> Verdict:
        report = ripple(read_folder(schemas), [read_folder(root / "schemas", name="main")], today=TODAY)
        return Verdict(report=report, schemas=schemas, baselines=("main",), fail_on=Severity.ERROR, **more)

    return verdict


@pytest.fixture
def broken(schemas: Path, judge: Callable[..., Verdict]) -> Verdict:
    """The verdict about a field that is gone while it is read, a step that is gone, and a field that nobody misses."""
    drop(schemas / "ticket/validation/Validated.v1.avsc", "priority")
    drop(schemas / "ticket/survey/Surveyed.v1.avsc", "comment")
    shutil.rmtree(schemas / "ticket/notification")
    return judge()


def drop(file: Path, field: str) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["fields"] = [each for each in schema["fields"] if each["name"] != field]
    file.with_name(file.name.replace("v1", "v2")).write_text(json.dumps(schema, indent=2), encoding="utf-8")


def with_impacts(verdict: Verdict, *impacts: Impact) -> Verdict:
    return replace(verdict, report=replace(verdict.report, impacts=impacts))


def accepting(verdict: Verdict, number: int) -> Verdict:
    impacts = list(verdict.report.impacts)
    entry = Acceptance(
        rule=impacts[number].finding.rule,
        path=impacts[number].finding.path,
        reason="nobody {cares} | yet",
        until=date(2027, 1, 1),
        file="pyproject.toml",
        line=12,
    )
    impacts[number] = replace(impacts[number], accepted=entry)
    return with_impacts(verdict, *impacts)


def hostile(**more: Any) -> Impact:
    """Whatever a schema can put into words."""
    cause = Finding(
        rule="type-mismatch",
        severity=Severity.ERROR,
        path=HOSTILE,
        message=HOSTILE,
        witness=Witness(HOSTILE, b"", HOSTILE),
        fix=Fix("reader", HOSTILE, "{}"),
    )
    middle = replace(cause, rule="missing-union-branch", causes=(cause,), message="outer", witness=None, fix=None)
    finding = Finding(
        rule="view-breaks",
        severity=Severity.ERROR,
        path=HOSTILE,
        message=HOSTILE,
        reader=Fragment("{}", "", f"schemas/ticket/survey/reads/{HOSTILE.replace('/', '')}.avsc", 3, 7),
        causes=(middle,),
    )
    return Impact(finding=finding, workflow="ticket", consumer=HOSTILE, producer="ticket", carriers=(HOSTILE,), **more)


def rendered(format_: str, verdict: Verdict) -> str:
    text_: str = import_module(f"stamp.cli.render.check_{format_}").render(verdict)
    return text_


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_found_is_a_whole_document_too(format_, judge):
    assert rendered(format_, judge())


@pytest.mark.parametrize("format_", ["sarif", "gitlab", "junit"])
def test_documents_for_programs_are_ascii(format_, broken):
    assert rendered(format_, with_impacts(broken, hostile())).isascii()


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_that_a_terminal_acts_on_gets_through(format_, broken):
    shown = rendered(format_, with_impacts(broken, hostile()))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)


# ---- where things are


@pytest.mark.parametrize(
    ("here", "top", "file", "name"),
    [
        ("/repo", "/repo", "schemas/a", "schemas/a"),
        ("/repo/sub", "/repo", "schemas/a", "sub/schemas/a"),
        ("/repo/sub", "/repo", "../schemas/a", "schemas/a"),
        ("/repo", "/repo", "/repo/schemas/a", "schemas/a"),
        ("/repo", "/repo", "/elsewhere/a", None),
        ("/repo", "/repo", "../elsewhere/a", None),
        (".", ".", "schemas/a", "schemas/a"),
        (".", ".", "../schemas/a", None),
    ],
)
def test_files_are_called_as_in_the_repository(here, top, file, name):
    assert Checkout(Path(here), Path(top)).name(file) == name


def test_the_top_is_where_git_keeps_its_own(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert checkout(inner).top == inner
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    assert checkout(inner) == Checkout(inner, tmp_path)


def test_what_breaks_is_shown_at_the_view(broken):
    impact = next(each for each in broken.impacts if each.finding.rule == "view-breaks")
    assert location(impact, broken) == Location("schemas/ticket/assignment/reads/validation.avsc", 23, 5)
    assert other_side(impact, broken) == Location("schemas/ticket/validation/Validated.v2.avsc", 1, 1)


def test_a_view_that_is_only_in_a_baseline_is_shown_at_the_version_that_breaks_it(broken):
    impact = next(each for each in broken.impacts if each.finding.rule == "new-data-breaks")
    assert location(impact, broken) == Location("schemas/ticket/validation/Validated.v2.avsc", 1, 1)
    assert other_side(impact, broken) is None


PSEUDO = [
    "main:schemas/ticket/survey/step.json",
    "base.tar/ticket/survey/step.json",
    "schemas/base.tar/ticket/survey/step.json",
]


@pytest.mark.parametrize("file", [*PSEUDO, "/elsewhere/ticket/survey/step.json"])
@pytest.mark.parametrize(("consumer", "expected"), [("survey", "schemas/ticket/survey/step.json"), ("gone", None)])
def test_what_is_only_in_a_baseline_is_shown_at_the_step_or_nowhere(file, consumer, expected, judge):
    finding = Finding(rule="x", severity=Severity.ERROR, path="p", message="m", reader=Fragment("", "", file, 4, 2))
    found = location(Impact(finding=finding, workflow="ticket", consumer=consumer), judge())
    assert found == (expected and Location(expected))


def test_a_folder_that_is_the_current_one_has_no_baseline_files(judge):
    verdict = replace(judge(), schemas=Path())
    for file, expected in {
        "main:./ticket/a/step.json": None,
        "ticket/a/step.json": Location("ticket/a/step.json", 4, 2),
    }.items():
        finding = Finding(rule="x", severity=Severity.ERROR, path="p", message="m", reader=Fragment("", "", file, 4, 2))
        assert location(Impact(finding=finding, workflow="other"), verdict) == expected


# ---- SARIF


@pytest.fixture(scope="session")
def sarif_schema() -> Draft4Validator:
    file = Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json"
    return Draft4Validator(json.loads(file.read_text(encoding="utf-8")), format_checker=Draft4Validator.FORMAT_CHECKER)


def sarif(verdict: Verdict) -> dict[str, Any]:
    (run,) = json.loads(check_sarif.render(verdict))["runs"]
    return run


def test_sarif_is_valid(broken, judge, sarif_schema):
    for verdict in (
        judge(),
        broken,
        accepting(broken, 0),
        with_impacts(broken, hostile()),
        replace(broken, schemas=Path("/x")),
    ):
        sarif_schema.validate(json.loads(check_sarif.render(verdict)))


def test_sarif_knows_all_rules_and_results_point_to_theirs(broken):
    run = sarif(broken)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULEBOOK)
    for rule in rules:
        assert {"shortDescription", "fullDescription", "help", "defaultConfiguration"} <= set(rule)
        assert {"text", "markdown"} <= set(rule["help"])
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_takes_a_rule_that_is_in_no_list(broken, sarif_schema):
    finding = Finding(rule="of-tomorrow", severity=Severity.INFO, path="p", message="m")
    verdict = with_impacts(broken, Impact(finding=finding, workflow=""))
    sarif_schema.validate(json.loads(check_sarif.render(verdict)))
    assert sarif(verdict)["tool"]["driver"]["rules"][-1] == {"id": "of-tomorrow"}


def test_sarif_says_where_who_and_how(broken):
    result = next(each for each in sarif(broken)["results"] if each["ruleId"] == "view-breaks")
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "schemas/ticket/assignment/reads/validation.avsc", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 23, "startColumn": 5},
    }
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "schemas/ticket/validation/Validated.v2.avsc"
    assert result["properties"]["consumer"] == "assignment"
    assert result["properties"]["routes"] == [["TicketValidated"]]


def test_sarif_is_named_from_the_top_of_the_repository(broken):
    inner = replace(broken, checkout=Checkout(Path("/repo/a b"), Path("/repo")))
    outside = replace(broken, checkout=Checkout(Path("/x"), Path("/repo")))
    assert sarif(inner)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b/schemas/ticket/assignment/reads/validation.avsc",
        "uriBaseId": "%SRCROOT%",
    }
    assert "uriBaseId" in sarif(outside)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert broken.checkout is HERE


def test_sarif_keeps_what_is_accepted_as_suppressed(broken):
    results = sarif(accepting(broken, 0))["results"]
    assert [len(result["suppressions"]) for result in results] == [1] + [0] * (len(results) - 1)
    (entry,) = results[0]["suppressions"]
    assert entry["kind"] == "external"
    assert entry["justification"] == "nobody {cares} | yet (until 2027-01-01)"
    assert entry["location"]["physicalLocation"]["region"] == {"startLine": 12}
    assert not any("suppressions" in result for result in sarif(broken)["results"])


def test_sarif_tells_the_fix_and_doubles_braces(broken):
    message = sarif(with_impacts(broken, hostile()))["results"][0]["message"]["text"]
    assert "fix: x|y" in message
    assert "{{0}}" in message
    assert not re.search(r"(?<!\{)\{0", message)


def fingerprints(verdict: Verdict) -> list[str]:
    return [result["partialFingerprints"]["stamp/v1"] for result in sarif(verdict)["results"]]


def test_fingerprints_differ_and_stay_when_lines_move(broken, judge, schemas):
    before = fingerprints(broken)
    assert len(set(before)) == len(before)
    for file in schemas.glob("ticket/*/reads/*.avsc"):
        file.write_text("\n\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    moved = judge()
    assert location(moved.impacts[0], moved) != location(broken.impacts[0], broken)
    assert fingerprints(moved) == before


def test_the_same_thing_found_twice_has_two_fingerprints(broken):
    twice = with_impacts(broken, broken.impacts[0], broken.impacts[0])
    assert len(set(fingerprints(twice))) == 2
    assert fingerprints(twice)[0] == fingerprints(broken)[0]


# ---- GitHub

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::([^\r\n]*)")


def commands(verdict: Verdict) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner of GitHub does."""
    found = []
    for line in check_github.render(verdict).split("\n")[:-1]:
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        found.append((match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])))
    return found


def unescaped(value: str) -> str:
    for code_, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        value = value.replace(code_, character)
    return value


def test_github_has_the_most_severe_first(broken):
    levels = [level for level, _, _ in commands(broken)]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)
    assert set(levels) == {"error", "warning", "notice"}


def test_github_has_what_is_new_before_what_a_baseline_has(broken):
    first = broken.impacts[0]
    verdict = with_impacts(broken, replace(first, is_known=True), first)
    messages = [message for _, _, message in commands(verdict)]
    assert "known:" not in messages[0]
    assert "known:" in messages[1]


def test_github_points_into_a_file(broken):
    level, properties, message = commands(broken)[0]
    assert level == "error"
    assert properties["file"] == "schemas/ticket/assignment/reads/validation.avsc"
    assert (properties["line"], properties["col"]) == ("23", "5")
    assert properties["title"].endswith("(view-breaks)")
    assert message.startswith("assignment cannot read validation.priority")


def test_github_has_no_file_for_what_is_gone(broken):
    gone = next(
        properties for _, properties, message in commands(broken) if message.startswith("notification is removed")
    )
    assert set(gone) == {"title"}


def test_github_escapes_whatever_comes(broken):
    ((_, properties, message),) = commands(with_impacts(broken, hostile()))
    assert properties["line"] == "3"
    assert message.split("\n")[0] == visible(HOSTILE)


def test_github_leaves_out_what_is_accepted(broken):
    assert len(commands(accepting(broken, 0))) == len(commands(broken)) - 1
    assert check_github.render(accepting(broken, 0)).endswith("1 accepted, compared with main")


# ---- GitLab


def test_gitlab_has_what_code_quality_needs(broken):
    entries = json.loads(check_gitlab.render(broken))
    assert len(entries) == len(broken.impacts)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["lines"]["begin"] >= 1
        assert Path(entry["location"]["path"]).exists()


def test_gitlab_leaves_out_what_is_accepted(broken):
    assert len(json.loads(check_gitlab.render(accepting(broken, 0)))) == len(broken.impacts) - 1


# ---- JUnit


def junit(verdict: Verdict) -> ET.Element:
    return ET.fromstring(check_junit.render(verdict))


def test_junit_has_a_case_for_each_step_when_all_is_well(judge):
    (suite,) = junit(judge())
    assert (suite.get("name"), suite.get("failures")) == ("ticket", "0")
    assert len(suite) == 7
    assert not list(suite.iter("failure"))


def test_junit_counts_what_is_there(broken):
    document = junit(accepting(broken, 0))
    for element in (document, *document):
        for name, tag in {"tests": "testcase", "failures": "failure", "skipped": "skipped"}.items():
            assert int(element.get(name)) == len(list(element.iter(tag)))
    assert document.get("skipped") == "1"


@pytest.mark.parametrize("level", Severity)
def test_junit_fails_exactly_when_the_check_does(level, broken):
    for verdict in (broken, with_impacts(broken), with_impacts(broken, broken.impacts[-1])):
        leveled = replace(verdict, fail_on=level)
        assert (junit(leveled).get("failures") != "0") is leveled.is_failed


def test_junit_names_each_case_once(broken):
    names = [(case.get("classname"), case.get("name")) for case in junit(broken).iter("testcase")]
    assert len(set(names)) == len(names)


@given(st.text())
def test_junit_is_legal_xml_whatever_is_said(said):
    finding = Finding(rule="view-breaks", severity=Severity.ERROR, path=said, message=said)
    impact = Impact(finding=finding, workflow=said, consumer=said)
    report = ripple_of_nothing()
    verdict = Verdict(
        report=replace(report, impacts=(impact,)), schemas=Path("schemas"), baselines=(), fail_on=Severity.ERROR
    )
    (suite,) = junit(verdict)
    assert len(suite) == 1


def ripple_of_nothing() -> Any:
    return ripple(contracts_of({}, name="nothing"), today=TODAY)


# ---- Markdown


def tokens(markdown: str) -> list[Any]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def test_markdown_has_a_row_for_each_impact_and_the_order(broken):
    shown = check_markdown.render(broken)
    rows = sum(token.type == "tr_open" for token in tokens(shown))
    assert rows == len(broken.impacts) + 1
    assert shown.count("<details>") == shown.count("</details>") == len(broken.impacts)
    assert "#### No order of deployment is safe (ticket, from main)" in shown


def test_markdown_tells_phases(schemas, judge):
    file = schemas / "ticket/validation/Validated.v1.avsc"
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["fields"].append({"name": "note", "type": "string", "default": ""})
    file.with_name("Validated.v2.avsc").write_text(json.dumps(schema), encoding="utf-8")
    assert "#### Order of deployment (ticket, from main)\n\n1. `validation`" in check_markdown.render(judge())


def test_markdown_tells_what_is_accepted(broken):
    shown = check_markdown.render(accepting(broken, 0))
    assert "nobody {cares} \\| yet, until 2027-01-01" in shown
    assert sum(token.type == "tr_open" for token in tokens(shown)) == len(broken.impacts)


def test_markdown_fits_a_comment(broken):
    many = with_impacts(broken, *(broken.impacts * 100))
    shown = check_markdown.render(many)
    assert len(shown) < 65_536
    assert "more." in shown


def test_markdown_is_not_what_a_schema_makes_of_it(broken):
    html = MarkdownIt("commonmark").enable("table").render(check_markdown.render(with_impacts(broken, hostile())))
    assert "<b>" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert html.count("<tr>") == 2


MARKUP = st.text(st.one_of(st.sampled_from("`|\\ab1.)<&*@#:/ -+=~_[]!\"'\n"), st.characters()))


@given(MARKUP)
def test_text_in_markdown_says_what_it_said(said):
    rendered_ = MarkdownIt("commonmark").enable("table").render(f"- a: {text(said)}")
    assert plain(rendered_) == plain(f"<li>a: {escaped(said)}</li>")


@given(st.text(alphabet=st.sampled_from(list("`|\\ab<&*@"))))
def test_cells_of_a_table_stay_in_their_row(said):
    table = "\n".join([row("a", "b"), row("---", "---"), row(code(said), text(said))])
    found = [token.type for token in tokens(table)]
    assert found.count("td_open") == 2
    assert found[-1] == "table_close"


@pytest.mark.parametrize("said", ["@all", "#12", "a@b.org", "!7", "https://e.org", "www.e.org", "org/repo#3"])
def test_nobody_is_mentioned_and_nothing_linked(said):
    assert "<!-- -->" in text(said)


def escaped(value: str) -> str:
    return escape(visible(value))


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<!-- -->|</?(ul|li|p)>", "", html)).split())
