"""`stamp explain`: each rule, with its example and what the check really says of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stamp.cli.rulebook import RULEBOOK
from stamp.schema.conventions import CONVENTIONS

NO_EXAMPLE = {"acceptance-changed", "acceptance-expired", "acceptance-unused", "contract-behind-code", "model-refuses"}


@pytest.mark.parametrize("rule", RULEBOOK.values(), ids=list(RULEBOOK))
def test_a_rule_is_explained_with_what_it_finds_in_its_example(rule, stamp):
    done = stamp("explain", rule.id)

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"{rule.severity} {rule.id}", f"{rule.title}."]
    flowing = " ".join(done.stdout.split())
    assert " ".join(rule.why.split()) in flowing
    assert " ".join(rule.remedy.split()) in flowing
    said = flowing.partition("What stamp says of it ")[2]
    assert rule.id in NO_EXAMPLE or rule.id in said.partition(":")[0]


def test_lines_fit_a_terminal(stamp):
    lines = [line for rule in RULEBOOK for line in stamp("explain", rule).stdout.splitlines()]
    prose = [line for line in lines if "{" not in line]
    assert max(map(len, prose)) <= 100


def test_schemas_are_shown_as_written_and_as_read(stamp):
    shown = stamp("explain", "missing-union-branch").stdout
    assert '  written: ["null", "string"]\n  read as: ["null", "int"]\n' in shown
    assert "for example" in shown
    assert "fix: add string to the union" in shown


def test_a_change_of_a_workflow_is_shown_as_a_difference(stamp):
    lines = stamp("explain", "no-safe-order").stdout.splitlines()
    assert "  -  on TicketCreated" in lines
    assert "  +  on TicketOpened" in lines
    assert "   validation" in lines


@pytest.mark.parametrize("spelling", ["VIEW-BREAKS", "view_breaks", " view-breaks "])
def test_other_spellings_are_understood(spelling, stamp):
    assert stamp("explain", spelling).stdout == stamp("explain", "view-breaks").stdout


@pytest.mark.parametrize(
    ("given", "expected"),
    [("view-brakes", "did you mean view-breaks"), ("decimal", "decimal-"), ("xyzzy", "`stamp rules` lists all")],
)
def test_an_unknown_rule_is_refused_with_those_that_are_near(given, expected, stamp):
    done = stamp("explain", given)
    assert done.exit_code == 2
    assert expected in done.stderr
    assert given in done.stderr
    assert not done.stdout


def test_what_is_given_cannot_reach_the_terminal_raw(stamp):
    assert "\x1b" not in stamp("explain", "\x1b[31mred").stderr


def test_nothing_heavy_is_imported():
    program = "import sys, stamp.cli.explain, stamp.cli.rules; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {"rich", "kombu", "sqlalchemy", "pydantic", "fastavro"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_a_convention_of_our_own_schemas_is_explained(convention, stamp):
    done = stamp("explain", convention.upper())
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].endswith(f" {convention}")
    assert convention in RULEBOOK or CONVENTIONS[convention] in done.stdout
