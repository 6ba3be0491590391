"""How large events become: against what is really encoded, and along all shapes of flow."""

from __future__ import annotations

import json
from copy import deepcopy
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.compat import Severity
from stamp.envelope.limits import LIMITS
from stamp.ripple import BROKERS, BUDGET, Assumptions, Size, read_folder, ripple
from stamp.ripple.sizes import size_of, unbounded
from stamp.schema.types import load
from stamp.schema.varint import sized

KIB = 1024


def size(schema: Any) -> Size:
    return size_of(load(schema), Assumptions(string=10, bytes=20, items=2, number=2))


def record(**fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": type_} for name, type_ in fields.items()]}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("null", (0, 0)),
        ("boolean", (1, 1)),
        ("int", (2, 5)),
        ("long", (2, 10)),
        ("float", (4, 4)),
        ("double", (8, 8)),
        ("string", (11, None)),
        ("bytes", (21, None)),
        ({"type": "string", "logicalType": "uuid"}, (37, 37)),
        ({"type": "int", "logicalType": "date"}, (3, 5)),
        ({"type": "long", "logicalType": "timestamp-micros"}, (8, 10)),
        ({"type": "long", "logicalType": "of-nobody"}, (2, 10)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2}, (2, 2)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 38}, (5, 17)),
        ({"type": "fixed", "name": "F", "size": 16}, (16, 16)),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, (1, 1)),
        ({"type": "enum", "name": "E", "symbols": [f"S{n}" for n in range(65)]}, (1, 2)),
        ({"type": "array", "items": "double"}, (18, None)),
        ({"type": "map", "values": "double"}, (40, None)),
        (["null", "double"], (9, 9)),
        (["null", "string"], (12, None)),
        (record(), (0, 0)),
        (record(a="double", b="boolean", c=["null", "int"]), (12, 15)),
    ],
)
def test_the_size_of_a_type(schema, expected):
    assert size(schema) == expected


@given(st.integers(1, 40), st.data())
def test_no_decimal_takes_more_than_the_most(precision, data):
    schema = {"type": "bytes", "logicalType": "decimal", "precision": precision}
    number = data.draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    unscaled = number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)
    assert len(sized(unscaled)) <= size(schema).worst


def test_where_there_is_no_most():
    inner = record(text="string", note=["null", "bytes"], id={"type": "string", "logicalType": "uuid"})
    assert unbounded(load(record(a=inner, b={"type": "array", "items": "R"}, c="int"))) == ("a.text", "a.note", "b")


class TestFlow:
    @pytest.fixture
    def sizes(self, examine):
        def of(steps, **options):
            return {each.event: each for each in examine(steps, **options).growth["ticket"].events}

        return of

    def test_every_event_carries_what_came_before(self, flow, sizes):
        found = sizes(flow)
        for before, after in (("TicketCreated", "TicketValidated"), ("TicketValidated", "TicketAssigned")):
            assert found[after].size.typical == found[before].size.typical + found[after].own.typical

    def test_events_are_in_the_order_of_the_flow(self, flow, sizes):
        assert list(sizes(flow)) == [
            "TicketCreated",
            "TicketValidated",
            "TicketRejected",
            "TicketAssigned",
            "CustomerNotified",
            "TicketBilled",
        ]

    def test_the_longest_way_counts(self, flow, sizes):
        short = sizes(flow)["TicketBilled"]
        flow["billing"]["on"] = ["TicketValidated", "CustomerNotified"]
        assert sizes(flow)["TicketBilled"].size == short.size

    def test_fields_without_bound_are_named(self, flow, sizes):
        assert sizes(flow)["TicketAssigned"].unbounded == (
            "ticket.text",
            "ticket.note",
            "validation.priority",
            "assignment.expert",
        )

    def test_a_bound_there_is_when_every_field_has_one(self, sizes):
        steps = {"ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"count": "long"}}}}
        event = sizes(steps)["TicketCreated"]
        assert event.size.typical < event.size.worst < event.size.typical + 20

    def test_a_loop_has_none(self, flow, sizes):
        flow["billing"]["writes"]["Billed.v1"] = {"amount": "double"}
        once = sizes(flow)["TicketBilled"]
        flow["billing"]["emits"]["TicketReopened"] = "Billed"
        flow["validation"]["on"] = ["TicketCreated", "TicketReopened"]
        found = sizes(flow)["TicketBilled"]
        assert (found.loops, found.size.worst) == (True, None)
        assert found.size.typical == pytest.approx(once.size.typical, abs=40), "each step is counted once"

    def test_a_step_that_follows_itself_is_a_loop(self, sizes):
        steps = {
            "ticket": {"emits": {"Made": "Made"}, "writes": {"Made.v1": {"count": "long"}}},
            "again": {"on": ["Made", "Again"], "emits": {"Again": "Done"}, "writes": {"Done.v1": {"count": "long"}}},
        }
        assert (sizes(steps)["Again"].loops, sizes(steps)["Again"].size.worst) == (True, None)

    def test_what_it_was_before_is_there_too(self, flow, compare):
        now = deepcopy(flow)
        now["validation"]["writes"]["Validated.v2"] = {
            "priority": "string",
            "id": {"type": "fixed", "name": "I", "size": 16},
        }
        events = {each.event: each for each in compare(flow, now).growth["ticket"].events}
        assert events["TicketCreated"].before == events["TicketCreated"].size
        assert events["TicketBilled"].size.typical - events["TicketBilled"].before.typical == 16


class TestBudget:
    @pytest.fixture
    def large(self):
        def steps(*sizes: int) -> dict[str, Any]:
            fields = {f"page{n}": {"type": "fixed", "name": f"P{n}", "size": size} for n, size in enumerate(sizes)}
            return {
                "ticket": {
                    "emits": {"TicketCreated": "Ticket"},
                    "ends": ["TicketCreated"],
                    "writes": {"Ticket.v1": fields},
                }
            }

        return steps

    def test_by_default_it_is_what_is_read_again(self):
        assert LIMITS.message == BUDGET

    @pytest.mark.parametrize(("sizes", "rules"), [((60_000,) * 4, []), ((60_000,) * 5, ["event-too-large"])])
    def test_what_is_usually_over_it_is_an_error(self, large, examine, sizes, rules):
        findings = examine(large(*sizes)).findings
        assert [finding.rule for finding in findings] == rules
        assert all(finding.severity is Severity.ERROR for finding in findings)

    def test_what_may_be_over_it_is_a_warning(self, examine):
        steps = {
            "ticket": {"emits": {"E": "T"}, "ends": ["E"], "writes": {"T.v1": {f"n{n}": "long" for n in range(9)}}}
        }
        usual = examine(steps).growth["ticket"].events[0].size.typical
        (finding,) = examine(steps, budget=usual).findings
        assert (finding.rule, finding.severity) == ("event-too-large", Severity.WARNING)

    def test_brokers_refuse_from_the_smallest_on(self, large, examine):
        def refused(*sizes: int) -> list[str]:
            (event,) = examine(large(*sizes)).growth["ticket"].events
            return [broker.name for broker in event.refused_by()]

        assert refused(60_000) == []
        assert refused(*[60_000] * 3) == ["SQS before August 2025"], "144 KiB, as kombu gives SQS base64 of base64"
        assert refused(*[60_000] * 10) == ["SQS before August 2025", "SQS"]
        assert refused(*[60_000] * 18) == ["SQS before August 2025", "SQS", "Kafka"]

    def test_brokers_are_told_from_the_one_that_takes_least(self):
        takes = [broker.envelope for broker in BROKERS]
        assert takes == sorted(takes)


def test_the_estimate_of_the_example_is_near_what_its_tickets_take(root, today):
    from examples.ticket import intake, ticket

    workflow = ticket.with_contracts(root / "schemas")
    sizes: dict[str, list[int]] = {}
    for line in (root / "examples/ticket/tickets.jsonl").read_bytes().splitlines():
        fields = json.loads(line)
        waiting = [workflow.start(intake.Ticket.model_validate(fields), workflow_id=fields["workflow_id"])]
        while waiting:
            event = waiting.pop()
            sizes.setdefault(event.event, []).append(len(event.body))
            for step in workflow.steps.values():
                waiting += workflow.process(step.name, event.body) if event.event in step.on else []
    estimate = ripple(read_folder(root / "schemas"), today=today).growth["ticket"].events
    assert {each.event for each in estimate} == sizes.keys()
    for each in estimate:
        assert each.size.typical == pytest.approx(mean(sizes[each.event]), rel=0.4)
