"""What is said of changes: tables of an edit and the findings, and laws."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from stamp.compat import Severity

LEVELS = {"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"]}
MORE_LEVELS = {"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH", "URGENT"]}


def optional(name: str, type_: Any) -> list[dict[str, Any]]:
    return [{"name": name, "type": ["null", type_], "default": None}]


def said(report) -> set[tuple[str, str, str, str | None]]:
    """Return severity, rule, path and consumer of what is new."""
    return {
        (i.finding.severity.value, i.finding.rule, i.finding.path, i.consumer) for i in report.impacts if not i.is_known
    }


def nothing(flow):
    pass


def a_field_is_dropped_that_nobody_reads(flow):
    flow["ticket"]["writes"]["Ticket.v2"] = {"text": "string"}


def a_field_is_dropped_that_others_read(flow):
    flow["validation"]["writes"]["Validated.v2"] = {"urgent": "boolean"}


def a_field_is_added(flow):
    flow["validation"]["writes"]["Validated.v2"] = {"priority": "string", "team": "string"}


def a_field_is_added_and_demanded_at_once(flow):
    a_field_is_added(flow)
    flow["billing"]["reads"]["validation"] = {"priority": "string", "team": "string"}


def a_field_is_added_and_read_where_it_is(flow):
    a_field_is_added(flow)
    flow["billing"]["reads"]["validation"] = [{"name": "priority", "type": "string"}, *optional("team", "string")]


def a_step_is_added_at_the_end(flow):
    flow["survey"] = {
        "on": ["TicketBilled"],
        "emits": {"SurveyAnswered": "Surveyed"},
        "ends": ["SurveyAnswered"],
        "reads": {"billing": {"amount": "long"}, "ticket": {"text": "string"}},
        "writes": {"Surveyed.v1": {"stars": "int"}},
    }


def a_step_is_added_beside(flow):
    flow["archive"] = {"on": ["TicketValidated", "TicketRejected"], "reads": {"ticket": {"text": "string"}}}


def a_read_step_is_removed(flow):
    del flow["validation"]
    flow["assignment"]["on"] = ["TicketCreated"]


def the_last_step_is_removed(flow):
    del flow["billing"]
    flow["notification"]["ends"] = ["CustomerNotified"]


def an_event_is_renamed_by_its_publisher_alone(flow):
    flow["assignment"]["emits"] = {"ExpertFound": "Assigned"}
    flow["assignment"]["ends"] = ["ExpertFound"]


def an_event_is_renamed_on_both_sides(flow):
    flow["assignment"]["emits"] = {"ExpertFound": "Assigned"}
    flow["notification"]["on"] = ["ExpertFound"]


def a_released_version_is_edited(flow):
    flow["billing"]["writes"]["Billed.v1"] = {"amount": "double"}


def a_released_version_is_deleted(flow):
    flow["billing"]["writes"] = {"Billed.v2": {"amount": "long"}}


def a_version_is_skipped(flow):
    flow["billing"]["writes"]["Billed.v3"] = {"amount": "long", "currency": "string"}


def a_detour_is_made(flow):
    flow["notification"]["on"] = ["TicketAssigned", "TicketCreated"]


def a_field_gets_the_name_of_another(flow):
    flow["billing"]["writes"]["Billed.v2"] = {"amount": "long", "expert": "string"}


def an_event_is_added_that_nobody_hears(flow):
    flow["billing"]["emits"]["InvoiceSent"] = "Billed"


def a_way_begins_to_lead_around_what_is_read(flow):
    flow["validation"]["ends"] = []
    flow["assignment"]["on"] = ["TicketValidated", "TicketRejected"]


def a_view_begins_to_read_a_stranger(flow):
    flow["billing"]["reads"]["invoicing"] = {"number": "string"}


def a_view_begins_to_read_what_comes_later(flow):
    flow["assignment"]["reads"]["billing"] = {"amount": "long"}


def a_step_listens_to_a_misspelt_event(flow):
    flow["survey"] = {"on": ["TicketBiled"]}


CHANGES = [
    (nothing, set()),
    (a_field_is_dropped_that_nobody_reads, {("info", "field-unread", "ticket.note", None)}),
    (a_field_is_added, set()),
    (
        a_field_is_dropped_that_others_read,
        {
            ("error", "view-breaks", "validation.priority", "assignment"),
            ("error", "view-breaks", "validation.priority", "billing"),
        },
    ),
    (
        a_field_is_added_and_demanded_at_once,
        {
            ("error", "old-data-breaks", "validation.team", "billing"),
            ("error", "no-safe-order", "ticket", None),
        },
    ),
    (a_field_is_added_and_read_where_it_is, set()),
    (a_step_is_added_at_the_end, set()),
    (a_step_is_added_beside, set()),
    (
        a_read_step_is_removed,
        {
            ("error", "removed-while-used", "validation", "assignment"),
            ("error", "removed-while-used", "validation", "billing"),
            ("warning", "event-newly-heard", "assignment", "assignment"),
            ("warning", "event-no-longer-heard", "assignment", "assignment"),
            ("warning", "event-no-longer-heard", "validation", "validation"),
        },
    ),
    (the_last_step_is_removed, {("warning", "event-no-longer-heard", "billing", "billing")}),
    (
        an_event_is_renamed_by_its_publisher_alone,
        {
            ("error", "step-starved", "notification", "notification"),
            ("error", "step-starved", "billing", "billing"),
        },
    ),
    (
        an_event_is_renamed_on_both_sides,
        {
            ("error", "no-safe-order", "ticket", None),
            ("warning", "event-no-longer-heard", "notification", "notification"),
        },
    ),
    (
        a_released_version_is_edited,
        {("error", "version-changed", "billing", None), ("info", "field-unread", "billing.amount", None)},
    ),
    (a_released_version_is_deleted, {("error", "version-changed", "billing", None)}),
    (a_version_is_skipped, {("error", "version-skipped", "billing", None)}),
    (
        a_detour_is_made,
        {
            ("error", "read-not-guaranteed", "assignment", "notification"),
            ("error", "read-not-guaranteed", "validation", "billing"),
            ("error", "step-triggered-twice", "notification", "notification"),
            ("warning", "event-newly-heard", "notification", "notification"),
        },
    ),
    (a_field_gets_the_name_of_another, {("warning", "field-conflict", "billing.expert", None)}),
    (an_event_is_added_that_nobody_hears, {("warning", "event-without-consumer", "billing", None)}),
    (
        a_way_begins_to_lead_around_what_is_read,
        {
            ("error", "view-breaks", "validation.priority", "assignment"),
            ("error", "view-breaks", "validation.priority", "billing"),
            ("warning", "event-newly-heard", "assignment", "assignment"),
        },
    ),
    (a_view_begins_to_read_a_stranger, {("error", "read-without-writer", "invoicing", "billing")}),
    (a_view_begins_to_read_what_comes_later, {("error", "read-without-writer", "billing", "assignment")}),
    (a_step_listens_to_a_misspelt_event, {("error", "step-unreachable", "survey", "survey")}),
]


@pytest.mark.parametrize(("edit", "expected"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_change_has_these_findings(flow, compare, edit, expected):
    changed = deepcopy(flow)
    edit(changed)
    assert said(compare(flow, changed)) == expected


def test_the_flow_by_itself_has_none(flow, examine):
    assert examine(flow).findings == ()


@pytest.mark.parametrize("edit", [edit for edit, _ in CHANGES], ids=lambda edit: edit.__name__)
def test_identical_states_differ_in_nothing(flow, compare, examine, edit):
    edit(flow)
    same = compare(flow, flow)
    assert said(same) == set()
    assert same.rollouts == ()
    assert [each.message for each in same.findings] == [each.message for each in examine(flow).findings]


class TestWhoBreaks:
    def test_the_step_the_field_the_route_and_who_only_carries_it(self, flow, compare):
        changed = deepcopy(flow)
        a_field_is_dropped_that_others_read(changed)
        found = {impact.consumer: impact for impact in compare(flow, changed).impacts}
        assert found["billing"].routes == (("TicketValidated", "TicketAssigned", "CustomerNotified"),)
        assert found["billing"].carriers == ("notification",)
        assert found["billing"].producer == "validation"
        assert found["billing"].versions == ("Validated.v2",)
        assert found["billing"].finding.message.startswith(
            "billing cannot read validation.priority as validation writes it"
        )
        assert found["billing"].finding.message.endswith(
            "arrives through TicketValidated → TicketAssigned → CustomerNotified"
        )

    def test_the_view_and_the_schema_are_shown_where_they_stand(self, flow, compare):
        changed = deepcopy(flow)
        a_field_is_dropped_that_others_read(changed)
        finding = compare(flow, changed).findings[0]
        assert (finding.reader.file, finding.reader.line) == ("ticket/assignment/reads/validation.avsc", 6)
        assert finding.writer.file == "ticket/validation/Validated.v2.avsc"
        assert finding.causes[0].rule == "reader-field-missing-default-value"

    def test_the_same_of_several_versions_is_said_once(self, flow, examine):
        flow["ticket"]["writes"] = {f"Ticket.v{n}": {"note": "string", f"n{n}": "int"} for n in (1, 2)} | {
            "Ticket.v3": {"text": "string"}
        }
        del flow["assignment"]["reads"]["ticket"]
        (impact,) = examine(flow).impacts
        assert impact.versions == ("Ticket.v1", "Ticket.v2")
        assert "Ticket.v1 and Ticket.v2 that may wait in queues or stores" in impact.finding.message

    def test_a_view_meets_only_the_records_that_come_its_way(self, flow, examine):
        flow["validation"]["writes"]["Rejected.v2"] = {"code": "int"}
        assert examine(flow).findings == (), "assignment hears of no rejection"
        flow["archive"] = {"on": ["TicketRejected"], "reads": {"validation": {"reason": "string"}}}
        assert {impact.consumer for impact in examine(flow).impacts} == {"archive"}

    def test_of_a_loop_the_latest_contribution_is_read(self, flow, examine):
        flow["billing"]["emits"]["TicketReopened"] = "Billed"
        flow["validation"]["on"] = ["TicketCreated", "TicketReopened"]
        flow["validation"]["reads"]["billing"] = {"amount": "long"}
        assert [(f.rule, f.path) for f in examine(flow).findings] == [("read-not-guaranteed", "billing")]
        flow["validation"]["optional"] = ["billing"]
        assert examine(flow).findings == ()

    def test_a_failure_is_no_contribution(self, flow, examine):
        flow["rescue"] = {"on": ["assignment.failed"], "reads": {"assignment": {"expert": "string"}}}
        (finding,) = examine(flow).findings
        assert finding.rule == "read-without-writer"
        flow["rescue"]["on"] = ["assignment.failed", "TicketAssigned"]
        (impact,) = examine(flow).impacts
        assert impact.finding.rule == "read-not-guaranteed"
        assert impact.routes == (("TicketCreated", "TicketValidated", "assignment.failed"),)

    def test_an_unlikely_meeting_is_a_warning(self, flow, examine):
        flow["validation"]["writes"]["Checked.v1"] = {"ok": "boolean"}
        assert {f.severity for f in examine(flow).findings} == {Severity.WARNING}, "nobody knows when it was published"


class TestRetirement:
    @pytest.fixture
    def changed(self, flow):
        flow["validation"]["writes"] |= {"Validated.v1": {"level": "int"}, "Validated.v2": {"priority": "string"}}
        flow["validation"]["retired"] = {"Validated.v1": "2026-06-30"}
        return flow

    @pytest.mark.parametrize(
        ("today", "count"), [(date(2026, 6, 29), 2), (date(2026, 6, 30), 2), (date(2026, 7, 1), 0)]
    )
    def test_a_version_is_alive_until_its_day_has_passed(self, changed, examine, today, count):
        assert [f.rule for f in examine(changed, today=today).findings] == ["old-data-breaks"] * count

    def test_one_that_a_baseline_writes_has_data_whatever_is_said(self, flow, changed, compare):
        before = deepcopy(changed)
        del before["validation"]["retired"], before["validation"]["writes"]["Validated.v2"]
        found = {(each.rule, each.severity) for each in compare(before, changed).findings}
        assert ("retired-while-written", Severity.ERROR) in found
        assert ("old-data-breaks", Severity.ERROR) in found
        later = deepcopy(changed)
        later["validation"]["retired"] = {"Validated.v1": "2999-12-31"}
        assert "retired-while-written" not in {each.rule for each in compare(before, later).findings}

    def test_what_the_present_contracts_say_of_it_holds(self, changed, compare):
        before = deepcopy(changed)
        del before["validation"]["retired"]
        assert compare(before, changed).findings == ()


class TestDeployment:
    @pytest.fixture
    def levels(self, flow):
        flow["validation"]["writes"]["Validated.v1"] = {"priority": LEVELS}
        flow["assignment"]["reads"]["validation"] = flow["billing"]["reads"]["validation"] = {"priority": LEVELS}
        return flow

    def test_a_new_symbol_breaks_old_views_unless_they_are_deployed_first(self, levels, compare):
        now = deepcopy(levels)
        now["validation"]["writes"]["Validated.v2"] = {"priority": MORE_LEVELS}
        now["assignment"]["reads"]["validation"] = now["billing"]["reads"]["validation"] = {"priority": MORE_LEVELS}
        report = compare(levels, now)
        found = {(i.finding.severity.value, i.finding.rule, i.consumer) for i in report.impacts}
        assert {each for each in found if each[0] != "info"} == {
            ("warning", "new-data-breaks", "assignment"),
            ("warning", "new-data-breaks", "billing"),
        }
        assert [phase.steps for phase in report.phases] == [("assignment", "billing"), ("validation",)]

    def test_a_new_symbol_that_a_view_never_learns_is_an_error(self, levels, compare):
        now = deepcopy(levels)
        now["validation"]["writes"]["Validated.v2"] = {"priority": MORE_LEVELS}
        now["assignment"]["reads"]["validation"] = {"priority": MORE_LEVELS}
        report = compare(levels, now)
        errors = {(i.finding.rule, i.consumer) for i in report.impacts if i.finding.severity is Severity.ERROR}
        assert errors == {("view-breaks", "billing"), ("new-data-breaks", "assignment")}

    def test_several_baselines_are_compared_each_by_itself(self, levels, state):
        from stamp.ripple import ripple

        now, middle = deepcopy(levels), deepcopy(levels)
        now["validation"]["writes"]["Validated.v2"] = {"priority": MORE_LEVELS}
        for step in ("assignment", "billing"):
            now[step]["reads"]["validation"] = middle[step]["reads"]["validation"] = {"priority": MORE_LEVELS}
        baselines = [state(levels, name="production"), state(middle, name="main")]
        report = ripple(state(now), baselines, today=date(2026, 1, 1))
        assert {(i.finding.rule, i.baseline) for i in report.impacts if i.finding.severity is Severity.WARNING} == {
            ("new-data-breaks", "production")
        }
        assert [(r.baseline, len(r.phases)) for r in report.rollouts] == [("production", 2), ("main", 1)]


def test_a_listing_tells_of_every_field_without_reader(flow, examine):
    fields = [finding.path for finding in examine(flow, listing=True).findings]
    assert fields == ["billing.amount", "notification.template", "ticket.note", "validation.reason"]


def test_a_workflow_that_is_new_is_deployed_at_once(flow, compare):
    report = compare({}, flow)
    assert report.findings == ()
    assert [phase.steps for phase in report.phases] == [tuple(sorted(flow))]


def test_a_workflow_that_goes_is_removed_from_its_start_to_its_ends(flow, compare):
    report = compare(flow, {})
    phase_of = {step: number for number, phase in enumerate(report.phases) for step in phase.removed}
    assert sorted(phase_of) == sorted(flow)
    for publisher, written in flow.items():
        for listener, heard in flow.items():
            if set(written.get("emits", ())) & set(heard.get("on", ())):
                assert phase_of[publisher] < phase_of[listener]
    assert {finding.rule for finding in report.findings} == {"event-no-longer-heard"}


def test_an_event_that_nobody_publishes_any_more_may_still_wait_where_it_is_dropped(flow, compare):
    before = deepcopy(flow)
    before["assignment"]["emits"] = {"ExpertFound": "Assigned"}
    before["notification"]["on"] = [*flow["notification"]["on"], "ExpertFound"]
    now = deepcopy(before)
    now["notification"]["on"] = ["ExpertFound"]

    (impact,) = compare(before, now).impacts

    assert (impact.finding.rule, impact.finding.severity) == ("event-no-longer-heard", Severity.INFO)
    assert "Let the queue run empty first" in impact.finding.message
