"""Findings are shown by data, fixes are tried, and what is said to be clean is decoded."""

from __future__ import annotations

import pytest

from stamp.cli.render.check_text import _left_out
from stamp.compat import MAX_FIXES, Severity, check
from stamp.ripple import explained, proved

PRIORITY = {"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH", "UNKNOWN"]}
MORE = PRIORITY | {"symbols": ["LOW", "HIGH", "UNKNOWN", "URGENT"]}


@pytest.fixture
def grown(flow):
    """A symbol that a view does not know, in the second version of what validation writes."""
    flow["validation"]["writes"] |= {"Validated.v1": {"priority": PRIORITY}, "Validated.v2": {"priority": MORE}}
    flow["assignment"]["reads"]["validation"] = {"priority": PRIORITY}
    flow["billing"]["reads"]["validation"] = {"priority": MORE}
    return flow


def causes(report):
    return [cause for impact in report.impacts for cause in impact.finding.causes]


def test_an_error_has_a_witness_and_a_fix_that_holds(grown, examine):
    report = explained(examine(grown))
    (error,) = [cause for cause in causes(report) if cause.severity is Severity.ERROR]
    assert error.witness.datum == '{"priority": "URGENT"}'
    assert error.witness.data == b"\x06"
    assert "URGENT" in error.witness.outcome
    (impact,) = [impact for impact in report.impacts if error in impact.finding.causes]
    assert [each for each in check(error.fix.schema, impact.pair.writer.schema, as_view=True)
            if each.severity is Severity.ERROR] == []  # fmt: skip
    assert report.proof.unshown == 0


def test_without_time_errors_stay_as_they_are_and_are_counted(grown, examine):
    report = examine(grown)
    late = explained(report, is_over=lambda: True)
    assert late.impacts == report.impacts
    assert late.proof.unshown == 1


def many(flow, step, count):
    """Let a step read fields that nobody writes, each with another name than one that is written."""
    flow[step]["reads"]["ticket"] = {f"new_{number}": "string" for number in range(count)}
    flow["ticket"]["writes"]["Ticket.v1"] = {f"old_{number}": "string" for number in range(count)}


def test_what_is_over_the_limit_is_told_when_there_was_no_time_either(flow, examine):
    many(flow, "validation", MAX_FIXES + 7)
    many(flow, "assignment", MAX_FIXES + 7)
    report = examine(flow)
    asked = iter(range(2 * MAX_FIXES + 20))
    late = explained(report, is_over=lambda: next(asked, None) is None)
    assert late.proof.over_limit > 0
    assert late.proof.unshown > 0
    assert late.proof.untried > late.proof.over_limit
    found = list(_left_out(late.proof))
    assert any("no time to show" in text for text in found)
    assert any(f"for {late.proof.over_limit} findings no fix was looked for: {MAX_FIXES}" in text for text in found)


def test_what_is_less_than_an_error_is_shown_only_when_all_is_asked_for(flow, examine):
    flow["ticket"]["writes"]["Ticket.v1"] = {"text": "long"}
    flow["validation"]["reads"]["ticket"] = {"text": "double"}
    flow["assignment"]["reads"]["ticket"] = {"text": "long"}
    report = examine(flow)
    assert {cause.severity for cause in causes(report)} == {Severity.WARNING}
    assert explained(report).impacts == report.impacts
    assert all(cause.witness is not None for cause in causes(explained(report, all_=True)))


def test_a_view_that_runs_already_has_a_witness_and_no_fix(grown, compare):
    before = {**grown, "validation": {**grown["validation"]}}
    before["validation"]["writes"] = {**grown["validation"]["writes"]}
    del before["validation"]["writes"]["Validated.v2"]
    grown["assignment"] = grown["assignment"] | {
        "reads": grown["assignment"]["reads"] | {"validation": {"priority": MORE}}
    }
    report = explained(compare(before, grown))
    (impact,) = [impact for impact in report.impacts if impact.finding.rule == "new-data-breaks"]
    (cause,) = impact.finding.causes
    assert cause.witness is not None
    assert cause.fix is None


def test_clean_pairs_are_decoded_and_told(flow, examine):
    told = []
    report = proved(examine(flow), told=lambda done, of: told.append((done, of)))
    pairs = sum(len(step.get("reads", {})) for step in flow.values())
    assert report.proof.pairs == len(told) - 1 == len(report.pairs.clean())
    assert 0 < report.proof.pairs <= pairs
    assert report.proof.data >= report.proof.pairs
    assert (told[0], told[-1]) == ((0, report.proof.pairs), (report.proof.pairs, report.proof.pairs))


def test_pairs_with_an_error_are_not_clean(grown, examine):
    report = examine(grown)
    clean = {(pair.reader, pair.writer) for pair in report.pairs.clean()}
    errors = [impact for impact in report.impacts if impact.finding.severity is Severity.ERROR]
    broken = {(impact.pair.reader, impact.pair.writer) for impact in errors}
    assert clean
    assert broken
    assert clean.isdisjoint(broken)


# ---- versions against one another

HISTORY = {"Ticket.v1": {"text": "string"}, "Ticket.v2": {"text": "long"}, "Ticket.v3": {"text": "string"}}


@pytest.fixture
def history(flow):
    flow["ticket"]["writes"] = HISTORY
    flow["validation"]["reads"] = flow["assignment"]["reads"]["ticket"] = {}
    flow["assignment"]["reads"] = {}
    flow["billing"]["reads"] = {}
    return flow


@pytest.mark.parametrize(
    ("mode", "pairs"),
    [
        (None, []),
        ("BACKWARD", [("v2", "v1"), ("v3", "v2")]),
        ("FORWARD_TRANSITIVE", [("v1", "v2"), ("v2", "v3")]),
        ("FULL", [("v2", "v1"), ("v1", "v2"), ("v3", "v2"), ("v2", "v3")]),
    ],
)
def test_every_pair_that_a_mode_asks_for_is_told(mode, pairs, history, examine):
    report = examine(history, mode=mode)
    found = [impact for impact in report.impacts if impact.finding.rule == "version-incompatible"]
    assert [impact.versions for impact in found] == [tuple(f"Ticket.{each}" for each in pair) for pair in pairs]
    assert all(cause.severity is Severity.ERROR for impact in found for cause in impact.finding.causes)


def test_a_retired_version_is_left_out(history, examine):
    history["ticket"]["retired"] = {"Ticket.v2": "2026-01-01"}
    report = examine(history, mode="FULL_TRANSITIVE")
    assert not [impact for impact in report.impacts if impact.finding.rule == "version-incompatible"]


def test_what_a_baseline_has_already_is_known_and_a_released_reader_is_not_to_be_changed(history, compare):
    before = {**history, "ticket": history["ticket"] | {"writes": {**HISTORY}}}
    del before["ticket"]["writes"]["Ticket.v3"]
    report = explained(compare(before, history, mode="FULL"))
    found = {impact.versions: impact for impact in report.impacts if impact.finding.rule == "version-incompatible"}
    assert {versions for versions, impact in found.items() if impact.is_known} == {
        ("Ticket.v2", "Ticket.v1"),
        ("Ticket.v1", "Ticket.v2"),
    }
    assert [versions for versions, impact in found.items() if impact.pair.is_open] == [("Ticket.v3", "Ticket.v2")]
    assert all(impact.finding.causes[0].witness is not None for impact in found.values())


def test_two_reasons_at_one_place_are_both_told(flow, examine):
    flow["ticket"]["writes"]["Ticket.v1"] = {"text": ["null", "string", "long"]}
    (impact, *_) = examine(flow).impacts
    assert impact.finding.path == "ticket.text"
    assert [cause.message.partition(",")[0] for cause in impact.finding.causes] == [
        "expected string",
        "expected string or bytes",
    ]
