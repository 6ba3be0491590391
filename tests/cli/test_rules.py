"""`stamp rules`, and the page in docs/ that is made by it."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt

from stamp import compat, ripple
from stamp.cli.rulebook import RULEBOOK


def test_every_rule_is_there_once():
    assert sorted(RULEBOOK) == sorted(rule.id for rule in (*compat.RULES, *ripple.RULES))


def test_text_has_a_line_for_each_rule(stamp):
    done = stamp("rules")
    assert done.exit_code == 0
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert lines == [[rule.severity, rule.id, rule.title] for rule in RULEBOOK.values()]


def test_json_has_all_words(stamp):
    document = json.loads(stamp("rules", "--format", "json").stdout)
    assert document["version"] == 1
    assert [rule["id"] for rule in document["rules"]] == list(RULEBOOK)
    for rule in document["rules"]:
        assert set(rule) == {"kind", "id", "severity", "title", "why", "remedy"}
        assert rule["kind"] in {"workflow", "schema"}


def test_the_committed_page_is_the_one_that_is_made(stamp, root):
    assert (root / "docs" / "rules.md").read_text(encoding="utf-8") == stamp("rules", "--format", "markdown").stdout, (
        "run `stamp rules --format markdown > docs/rules.md`"
    )


def test_links_of_the_page_lead_to_its_headings(stamp):
    page = stamp("rules", "--format", "markdown").stdout
    targets = re.findall(r"\]\(#([^)]+)\)", page)
    assert targets == list(RULEBOOK)
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == targets


def test_the_page_is_made_of_tables_and_fences(stamp):
    tokens = MarkdownIt("commonmark").enable("table").parse(stamp("rules", "--format", "markdown").stdout)
    assert sum(token.type == "tr_open" for token in tokens) == len(RULEBOOK) + 2
    assert sum(token.type == "fence" for token in tokens) == len(RULEBOOK) - 5
    assert not any(token.type == "html_block" for token in tokens)


@pytest.mark.parametrize("variable", [{}, {"NO_COLOR": "1"}])
def test_what_goes_into_a_pipe_has_no_colours(variable, stamp, monkeypatch):
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    assert "\x1b" not in stamp("rules").stdout


def test_an_unknown_format_is_refused(stamp):
    assert stamp("rules", "--format", "yaml").exit_code == 2
