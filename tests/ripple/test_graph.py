"""What events carry, and the ways that they take."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.compat import Severity
from stamp.ripple import Graph, contracts_of
from stamp.ripple.example import files


def graph(steps: dict[str, Any]) -> Graph:
    return Graph.of("ticket", contracts_of(files(steps), name="now").of("ticket").values())


@pytest.fixture
def drawn(flow):
    return graph(flow)


def party(drawn: Graph, step: str):
    return next(each for each in drawn.parties if each.step == step)


def carried(drawn: Graph, event: str) -> dict[str, frozenset[str | None]]:
    """Return what an event carries, by step: what one who listened to it alone would get."""
    listener = replace(drawn.parties[0], on=(event,))
    return {each.step: drawn.held(listener, each.step) for each in drawn.parties}


def test_an_event_carries_the_latest_record_of_each_step_on_the_way(drawn):
    assert carried(drawn, "TicketAssigned") == {
        "ticket": {"Ticket"},
        "validation": {"Validated"},
        "assignment": {"Assigned"},
        "notification": {None},
        "billing": {None},
    }


def test_ways_that_meet_leave_open_which_was_taken(flow):
    flow["billing"]["on"] = ["TicketRejected", "CustomerNotified"]
    drawn = graph(flow)
    billing = party(drawn, "billing")
    assert drawn.held(billing, "validation") == {"Validated", "Rejected"}
    assert drawn.held(billing, "assignment") == {"Assigned", None}
    assert drawn.held(billing, "ticket") == {"Ticket"}
    assert drawn.held(billing, "nobody") == {None}


def test_who_listens_and_who_publishes(drawn):
    assert drawn.listeners("TicketValidated") == ("assignment",)
    assert drawn.listeners("TicketRejected") == ()
    assert drawn.publishers("TicketValidated") == ("validation",)
    assert drawn.publishers("validation.failed") == ("validation",)
    assert drawn.publishers("ticket.failed") == (), "there is no message yet that could fail"


def test_routes_are_the_shortest_first(flow):
    flow["billing"]["on"] = ["TicketAssigned", "CustomerNotified"]
    drawn = graph(flow)
    assert drawn.routes("validation", {"Validated"}, party(drawn, "billing")) == [
        ("TicketValidated", "TicketAssigned"),
        ("TicketValidated", "TicketAssigned", "CustomerNotified"),
    ]


def test_a_route_ends_where_the_step_writes_anew(flow):
    flow["billing"]["emits"]["TicketReopened"] = "Billed"
    flow["validation"]["on"].append("TicketReopened")
    drawn = graph(flow)
    assert drawn.routes("validation", {"Rejected"}, party(drawn, "billing")) == []
    assert drawn.carriers("validation", {"Validated"}) == ("assignment", "notification", "billing")


def test_many_ways_are_not_all_told():
    steps: dict[str, Any] = {"s0": {"emits": {"E0": "R"}, "writes": {"R.v1": {"a": "int"}}}}
    for number in range(1, 15):
        for side in "xy":
            steps[f"s{number}{side}"] = {
                "on": [f"E{number - 1}"],
                "emits": {f"E{number}": "R"},
                "writes": {"R.v1": {"a": "int"}},
            }
    steps["end"] = {"on": ["E14"]}
    drawn = graph(steps)
    assert len(drawn.routes("s0", {"R"}, party(drawn, "end"))) == 3


EVENTS = st.sampled_from([f"E{number}" for number in range(5)])


@st.composite
def workflows(draw: st.DrawFn) -> dict[str, Any]:
    steps: dict[str, Any] = {"start": {"emits": {"E0": "R"}, "writes": {"R.v1": {"a": "int"}}}}
    for number in range(draw(st.integers(1, 5))):
        on = draw(st.lists(EVENTS, min_size=1, max_size=2, unique=True))
        emits = draw(st.lists(EVENTS, max_size=2, unique=True))
        steps[f"s{number}"] = {
            "on": on,
            "emits": {event: draw(st.sampled_from(["R", "Q"])) for event in emits},
            "writes": {"R.v1": {"a": "int"}, "Q.v1": {"b": "int"}},
        }
    return steps


def walks(steps: dict[str, Any], length: int):
    """Yield the last event of every run of up to `length` hops, and the record that each step wrote last on the way."""
    waiting = [("E0", {"start": "R"}, length)]
    while waiting:
        event, held, left = waiting.pop()
        yield event, held
        for name, said in steps.items():
            if left and event in said.get("on", ()):
                waiting += [(after, {**held, name: record}, left - 1) for after, record in said["emits"].items()]
                waiting.append((f"{name}.failed", held, left - 1))


@given(workflows())
def test_what_events_carry_is_what_runs_make_of_them(steps):
    drawn = graph(steps)
    seen: dict[str, dict[str, set[str | None]]] = {}
    runs = list(walks(steps, 7))
    for event, held in runs:
        for step in steps:
            seen.setdefault(event, {}).setdefault(step, set()).add(held.get(step))
    assert set(drawn.carried) == seen.keys()
    for event, held in seen.items():
        for step, records in held.items():
            assert records <= carried(drawn, event)[step]
    if len(steps) <= 3:  # seven hops see all that so few steps can do
        assert {event: carried(drawn, event) for event in seen} == seen


@given(workflows())
def test_a_detour_avoids_what_it_is_to_avoid(steps):
    drawn = graph(steps)
    for consumer in drawn.parties:
        for producer in steps:
            for way in drawn.detours(consumer, producer):
                assert way[-1] in consumer.on
                assert way[0] == "E0"
                assert producer != "start"
                for before, after in pairwise(way):
                    assert any(
                        before in each.on and (after == each.fails or (after in each.emits and each.step != producer))
                        for each in drawn.parties
                    )


ALONE: dict[str, dict[str, Any]] = {
    "parcels": {
        "on": ["OrderPaid"],
        "emits": {"Sent": "Sent"},
        "reads": {"order": {"total": "long"}},
        "writes": {"Sent.v1": {"by": "string"}},
    },
    "archive": {"on": ["Sent"]},
}
START: dict[str, dict[str, Any]] = {
    "cart": {"emits": {"CartFilled": "Cart"}, "ends": ["CartFilled"], "writes": {"Cart.v1": {"size": "int"}}}
}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (ALONE, {"parcels": Severity.WARNING, "archive": Severity.WARNING}),  # nobody starts runs
        (ALONE | START, {"parcels": Severity.WARNING, "archive": Severity.WARNING}),  # nobody writes what it reads
        (
            ALONE | START | {"parcels": ALONE["parcels"] | {"reads": {}}},
            {"parcels": Severity.ERROR, "archive": Severity.ERROR},
        ),
        ({"archive": {"on": ["Sent"]}}, {"archive": Severity.WARNING}),
        (
            ALONE | START | {"other": {"on": ["Sned"]}},
            {"parcels": Severity.WARNING, "archive": Severity.WARNING, "other": Severity.ERROR},
        ),
    ],
)
def test_a_step_of_a_lone_team_is_no_error(steps: Any, expected: dict[str, Severity], examine: Any) -> None:
    found = [each for each in examine(steps).findings if each.rule == "step-unreachable"]
    assert {each.path: each.severity for each in found} == expected
    for each in found:
        assert ("run `stamp contracts pull`" in each.message) is (each.severity is Severity.WARNING)
