"""Accepted findings, as projects write them down."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from stamp.cli.accepted import acceptances
from stamp.errors import InputError
from stamp.ripple import Acceptance
from stamp.workflow.declaration import check_declaration

ENTRY = """[[{0}]]
rule = "view-breaks"
path = "validation.*"
reason = "nobody uses it before May"
"""
PROJECT = ENTRY.format("tool.stamp.accept")
OWN = ENTRY.format("accept")


def test_no_settings_accept_nothing(here: Path) -> None:
    assert acceptances() == ()
    Path("pyproject.toml").write_text("[tool.stamp]\nschemas = 'contracts'\n")
    assert acceptances() == ()


def test_entries_of_both_files_are_read_with_their_lines(here: Path) -> None:
    Path("pyproject.toml").write_text(f"[project]\nname = 'x'\n\n{PROJECT}until = 2030-01-31\n\n{PROJECT}")
    Path("stamp.toml").write_text(f"{OWN}workflow = 'ticket'\n")

    def entry(file: str, line: int, **more) -> Acceptance:
        words = {"rule": "view-breaks", "path": "validation.*", "reason": "nobody uses it before May"}
        return Acceptance(**words, file=file, line=line, **more)

    assert acceptances() == (
        entry("stamp.toml", 1, workflow="ticket"),
        entry("pyproject.toml", 4, until=date(2030, 1, 31)),
        entry("pyproject.toml", 10),
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"\n\n{OWN}", [3]),
        (f"# [[accept]]\n{OWN}", [2]),
        (f"  [[ accept ]]  # for now\n{OWN.partition(chr(10))[2]}", [1]),
        (f"{OWN}\n{OWN}".replace("\n", "\r\n"), [1, 6]),
        ('accept = [{rule = "view-breaks", path = "a", reason = "b"}]', [None]),
        (f'schemas = """\n[[accept]]\n"""\n{OWN}', [None]),
        (OWN.replace("accept", '"accept"'), [None]),
    ],
)
def test_lines_are_told_where_they_are_known(text: str, lines: list[int | None], here: Path) -> None:
    Path("stamp.toml").write_bytes(text.encode())
    assert [each.line for each in acceptances()] == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accept = 3", "stamp.toml: accept: expected tables [[accept]], got 3"),
        ("[accept]", "stamp.toml: accept: expected tables [[accept]], got {}"),
        (
            "accept = ['all']",
            "stamp.toml: accept[0]: expected a table with rule, path, reason, until, workflow, got 'all'",
        ),
        (
            OWN.replace("reason", "reasons"),
            "stamp.toml:1: accept[0]: expected one of rule, path, reason, until, workflow, got 'reasons': did you mean reason?",
        ),
        (
            f"{OWN}\n{OWN.replace('reason', '# reason')}",
            (
                "stamp.toml:6: accept[1].reason: expected why this is accepted, got nothing: "
                'add `reason = "nobody uses it before May"`'
            ),
        ),
        (OWN.replace("nobody uses it before May", " "), "accept[0].reason: expected why this is accepted, got ' '"),
        (
            OWN.replace("rule", "# rule"),
            'accept[0].rule: expected the id of a rule, got nothing: add `rule = "view-breaks"`',
        ),
        (OWN.replace("path", "# path"), "accept[0].path: expected the path of a finding, got nothing: add `path = "),
        (
            OWN.replace("view-breaks", "view-brakes"),
            "accept[0].rule: expected a rule, got 'view-brakes': did you mean view-breaks",
        ),
        (OWN.replace("view-breaks", "xyzzy"), "expected a rule, got 'xyzzy': `stamp rules` lists all"),
        (
            OWN.replace("view-breaks", "acceptance-unused"),
            "accept[0].rule: acceptance-unused is about entries like this",
        ),
        (OWN.replace('"view-breaks"', "3"), "accept[0].rule: expected the id of a rule, got 3"),
        (
            f"{OWN}until = '2030-01-31'",
            "accept[0].until: expected a date without quotes such as 2030-01-31, got '2030-01-31'",
        ),
        (f"{OWN}until = 2030-01-31T00:00:00Z", "got 2030-01-31T00:00:00+00:00"),
        (f"{OWN}workflow = ['a']", "accept[0].workflow: expected the name of a workflow, got ['a']"),
        ("[[accept]", "stamp.toml: expected a TOML file, got one that is not: "),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, message: str, here: Path) -> None:
    Path("stamp.toml").write_text(text)
    with pytest.raises(InputError) as error:
        acceptances()
    assert message in str(error.value)


def test_entries_of_the_project_file_are_called_by_their_whole_name(here: Path) -> None:
    Path("pyproject.toml").write_text(f"\n{PROJECT}unless = 1\n")
    with pytest.raises(InputError, match=r"^pyproject\.toml:2: tool\.stamp\.accept\[0\]: expected one of"):
        acceptances()


def test_what_is_said_of_an_entry_that_is_not_used_leads_to_it(here: Path) -> None:
    Path("stamp.toml").write_text(OWN)
    (entry,) = acceptances()
    assert entry.place is not None
    assert (entry.place.file, entry.place.line) == ("stamp.toml", 1)
    assert entry.place.text == '{"rule": "view-breaks", "path": "validation.*"}'


def test_the_examples_of_the_documentation_are_what_they_say(root: Path, here: Path) -> None:
    text = (root / "docs" / "checks.md").read_text(encoding="utf-8")
    (entry,) = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (said,) = (each for each in re.findall(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if "retired" in each)
    Path("pyproject.toml").write_text(entry)
    (accepted,) = acceptances()
    assert (accepted.rule, accepted.until) == ("view-breaks", date(2026, 12, 31))
    check_declaration(json.loads(said), Path("step.json"))


def test_readme_leads_to_the_documentation_of_checks_and_rules(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert "(docs/checks.md)" in text
    assert "(docs/rules.md)" in text
