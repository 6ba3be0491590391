"""Findings that somebody has accepted, and entries that have had their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from stamp.compat import Finding, Severity
from stamp.ripple import Acceptance, Impact, accept

FORTNIGHT = timedelta(days=14)


def entry(rule: str, path: str, **more) -> Acceptance:
    return Acceptance(rule=rule, path=path, reason="until they are all gone", **more)


@pytest.fixture
def broken(flow, examine):
    """A report of two views that cannot read a priority, which is a number now; and a field that nobody reads."""
    flow["validation"]["writes"]["Validated.v1"] = {"priority": "long", "room": "string"}
    report = examine(flow, listing=True)
    assert [each.consumer for each in report.impacts if each.finding.rule == "view-breaks"] == ["assignment", "billing"]
    assert {each.finding.path for each in report.impacts} >= {"validation.priority", "validation.room", "ticket.note"}
    return report


def accepted(report) -> list[tuple[str, str | None]]:
    return [(each.finding.rule, each.consumer) for each in report.impacts if each.accepted is not None]


def said(report) -> list[Impact]:
    return [each for each in report.impacts if each.finding.rule.startswith("acceptance-")]


BOTH = [("view-breaks", "assignment"), ("view-breaks", "billing")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([entry("view-breaks", "validation.priority")], BOTH),
        ([entry("view-breaks", "validation.*")], BOTH),
        ([entry("view-breaks", "*.priority")], BOTH),
        ([entry("view-breaks", "*")], BOTH),
        ([entry("view-breaks", "validation.priority", workflow="ticket")], BOTH),
        ([entry("view-breaks", "validation.priority", workflow="order")], []),
        ([entry("view-breaks", "validation")], []),
        ([entry("view-breaks", "priority")], []),
        ([entry("view-breaks", "validation.priorit?")], []),
        ([entry("view-breaks", "validation.[p]riority")], []),
        ([entry("view-breaks", "VALIDATION.PRIORITY")], []),
        ([entry("old-data-breaks", "*")], []),
        ([entry("type-mismatch", "validation.priority")], BOTH),
        ([entry("type-mismatch", "priority")], []),
        ([entry("type-mismatch", "ticket.*")], []),
    ],
)
def test_an_entry_accepts_what_its_rule_finds_at_its_path(given, expected, broken, today):
    assert accepted(accept(broken, given, today=today)) == expected


def test_the_first_entry_that_fits_is_told(broken, today):
    wide, narrow = entry("view-breaks", "*"), entry("view-breaks", "validation.priority")
    for entries in ([wide, narrow], [narrow, wide]):
        report = accept(broken, entries, today=today)
        assert {each.accepted for each in report.impacts} == {None, entries[0]}
        assert said(report) == []


def test_a_finding_is_accepted_by_its_causes_only_if_all_are(broken, today):
    """Down to the bottom of the tree, whichever entry accepts which."""

    def fault(rule: str, path: str, *causes: Finding) -> Finding:
        return Finding(rule=rule, severity=Severity.ERROR, path=path, message="", causes=causes)

    leaves = fault("type-mismatch", "items[].price"), fault("missing-enum-symbols", "items[].unit")
    finding = fault("view-breaks", "billing.items", fault("missing-union-branch", "items", *leaves))
    report = replace(broken, impacts=(Impact(finding=finding, workflow="ticket", producer="billing"),))
    price, unit = entry("type-mismatch", "billing.items[].price"), entry("missing-enum-symbols", "billing.items*")

    assert [each.accepted for each in accept(report, [unit, price], today=today).impacts] == [price]
    assert [each.accepted for each in accept(report, [price], today=today).impacts] == [None]
    middle = entry("missing-union-branch", "billing.items")
    assert [each.accepted for each in accept(report, [middle], today=today).impacts] == [middle]


def test_all_else_stays_as_it_is(broken, today):
    report = accept(broken, [entry("view-breaks", "*")], today=today)
    assert [replace(each, accepted=None) for each in report.impacts] == list(broken.impacts)
    assert accept(broken, [], today=today).impacts == broken.impacts
    assert (report.rollouts, report.graph, report.pairs) == (broken.rollouts, broken.graph, broken.pairs)


def test_an_entry_holds_on_its_last_day_and_no_longer(broken, today):
    until = entry("view-breaks", "*", until=today)
    assert accepted(accept(broken, [until], today=today)) == BOTH

    report = accept(broken, [until], today=today + timedelta(days=1))
    assert accepted(report) == []
    (expired,) = said(report)
    assert (expired.finding.rule, expired.finding.severity) == ("acceptance-expired", Severity.ERROR)
    assert str(today) in expired.finding.message
    assert "until they are all gone" in expired.finding.message


def test_an_expired_entry_with_nothing_left_to_accept_is_a_warning(broken, today):
    (expired,) = said(accept(broken, [entry("view-breaks", "gone", until=today - FORTNIGHT)], today=today))
    assert (expired.finding.rule, expired.finding.severity) == ("acceptance-expired", Severity.WARNING)
    assert "remove the entry" in expired.finding.message


def test_an_expired_entry_does_not_stand_in_for_one_that_holds(broken, today):
    old, new = entry("view-breaks", "*", until=today - FORTNIGHT), entry("view-breaks", "*", until=today + FORTNIGHT)
    report = accept(broken, [old, new], today=today)
    assert {each.accepted for each in report.impacts} == {None, new}
    assert [each.finding.rule for each in said(report)] == ["acceptance-expired"]


def test_an_entry_that_matches_nothing_is_told_with_its_place_and_where_its_rule_does(broken, today):
    given = entry("view-breaks", "validation.priorities", workflow="ticket", file="stamp.toml", line=7)
    (unused,) = said(accept(broken, [given], today=today))
    assert (unused.finding.rule, unused.finding.severity) == ("acceptance-unused", Severity.WARNING)
    assert (unused.workflow, unused.finding.path) == ("ticket", "validation.priorities")
    assert unused.finding.reader is not None
    assert (unused.finding.reader.file, unused.finding.reader.line) == ("stamp.toml", 7)
    assert "view-breaks is found at validation.priority)" in unused.finding.message


def test_an_entry_without_workflow_or_place_can_be_told_too(broken, today):
    (unused,) = said(accept(broken, [entry("step-starved", "billing")], today=today))
    assert (unused.workflow, unused.finding.reader) == ("", None)


def test_where_not_everything_was_looked_at_nothing_is_called_unused(broken, today):
    entries = [entry("view-breaks", "gone"), entry("view-breaks", "*", until=date(2020, 1, 1))]
    assert [each.finding.rule for each in said(accept(broken, entries, today=today, unused=False))] == [
        "acceptance-expired"
    ]


def test_what_is_said_of_entries_has_its_place_among_the_rest(broken, today):
    entries = [entry("view-breaks", "*", until=today - FORTNIGHT), entry("view-breaks", "gone")]
    ranks = [each.finding.severity.rank for each in accept(broken, entries, today=today).impacts]
    assert ranks == sorted(ranks)


def test_one_entry_written_twice_is_one(broken, today):
    assert len(said(accept(broken, [entry("view-breaks", "gone")] * 2, today=today))) == 1
