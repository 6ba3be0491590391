"""Every rule: its words, and its example."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamp.ripple import RULES, rules
from stamp.ripple.example import files

WITH_EXAMPLE = [rule for rule in RULES if rule.example.now]
OF_CHANGES = [rule for rule in WITH_EXAMPLE if rule.example.before is not None]


def test_rules_are_files_called_as_their_ids():
    there = {file.stem.replace("_", "-") for file in Path(rules.__file__).parent.glob("[!_]*.py")}
    assert sorted(rule.id for rule in RULES) == sorted(there)


def test_only_rules_about_something_else_than_contracts_have_no_example():
    without = [rule.id for rule in RULES if rule not in WITH_EXAMPLE]
    assert without == [
        "model-refuses",
        "contract-behind-code",
        "acceptance-changed",
        "acceptance-expired",
        "acceptance-unused",
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_words_are_sentences(rule):
    for text in (rule.why, rule.remedy):
        assert text.endswith(".")
        assert text[0].isupper() or text[0] == "`"
    assert not rule.title.endswith(".")


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=lambda rule: rule.id)
def test_a_rule_finds_its_example(rule, compare, examine):
    example = rule.example
    report = (
        examine(example.now, mode=example.mode)
        if example.before is None
        else compare(example.before, example.now, mode=example.mode)
    )
    found = [finding for finding in report.findings if finding.rule == rule.id]
    assert found
    assert all(finding.message[0] != " " and "\n" not in finding.message for finding in found)


@pytest.mark.parametrize("rule", OF_CHANGES, ids=lambda rule: rule.id)
def test_a_rule_about_changes_is_silent_where_nothing_changes(rule, compare):
    for steps in (rule.example.before, rule.example.now):
        report = compare(steps, steps)
        assert [finding for finding in report.findings if finding.rule == rule.id] == []


@pytest.mark.parametrize("rule", WITH_EXAMPLE, ids=lambda rule: rule.id)
def test_examples_are_contracts(rule):
    for steps in filter(None, rule.example[:2]):
        assert all(text.startswith(b"{") for text in files(steps).values())
