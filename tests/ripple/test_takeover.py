"""A step that gets another name, or hands its event over: none of its work may be done twice, or by nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stamp.compat import Severity
from stamp.ripple import Report

Steps = dict[str, dict[str, Any]]
Compare = Callable[..., Report]

ORDER: Steps = {"order": {"emits": {"OrderPaid": "Order"}, "writes": {"Order.v1": {"total": "long"}}}}
AUDIT: Steps = {"audit": {"on": ["OrderPaid"]}}
LATER: Steps = {"later": {"on": ["Sent"]}}


def shipping(name: str, event: str = "Sent", *, on: str = "OrderPaid", **more: Any) -> Steps:
    """Return a step that ends runs."""
    return {
        name: {"on": [on], "emits": {event: "Sent"}, "ends": [event], "writes": {"Sent.v1": {"by": "string"}}, **more}
    }


RENAMED: dict[str, tuple[Steps, Steps, Steps]] = {
    "the last step": ({}, shipping("parcels"), shipping("dispatch")),
    "the last step, whose event is no end": ({}, shipping("parcels", ends=[]), shipping("dispatch", ends=[])),
    "the last step and its event": ({}, shipping("parcels"), shipping("dispatch", "Dispatched")),
    "a step that publishes nothing": ({}, {"parcels": {"on": ["OrderPaid"]}}, {"dispatch": {"on": ["OrderPaid"]}}),
    "a step beside another": (AUDIT, shipping("parcels"), shipping("dispatch")),
    "a step before another": (LATER, shipping("parcels", ends=[]), shipping("dispatch", ends=[])),
    "a step that reads": (
        {},
        shipping("parcels", reads={"order": {"total": "long"}}),
        shipping("dispatch", reads={"order": {"total": "long"}}),
    ),
}


@pytest.mark.parametrize(("others", "before", "now"), RENAMED.values(), ids=RENAMED)
def test_a_step_cannot_be_renamed_in_place(compare: Compare, others: Steps, before: Steps, now: Steps) -> None:
    (rollout,) = compare({**ORDER, **others, **before}, {**ORDER, **others, **now}).rollouts

    assert "dispatch and parcels, whose event it takes over, would both work on one run" in rollout.obstacles
    assert "neither parcels nor dispatch, which takes its event over, would work on a run" in rollout.obstacles
    assert "let order publish OrderPaid2 instead of OrderPaid" in rollout.ways_out[0]
    assert "dispatch listen to OrderPaid2" in rollout.ways_out[0]


def test_with_an_event_of_its_own_the_new_step_comes_first_and_the_old_one_goes_last(
    compare: Compare,
) -> None:
    order = {"order": {**ORDER["order"], "emits": {"OrderPaid2": "Order"}}}
    report = compare({**ORDER, **shipping("parcels")}, {**order, **shipping("dispatch", on="OrderPaid2")})

    assert [each.steps for each in report.phases] == [("dispatch", "order"), ("parcels",)]
    assert [each for each in report.findings if each.severity is Severity.ERROR] == []


def test_steps_that_swap_their_events_leave_one_of_them_alone(compare: Compare) -> None:
    start: Steps = {"order": {"emits": {"Paid": "Order", "Owed": "Order"}, "writes": ORDER["order"]["writes"]}}
    (rollout,) = compare(
        {**start, **shipping("ship", "Shipped", on="Paid"), **shipping("remind", "Reminded", on="Owed")},
        {**start, **shipping("ship", "Shipped", on="Owed"), **shipping("remind", "Reminded", on="Paid")},
    ).rollouts
    assert not rollout.is_safe
    assert "order would still publish Paid, and who listens to it would be gone" in rollout.obstacles


UNRELATED: dict[str, tuple[Steps, Steps]] = {
    "a step that comes and another that goes, beside one that stays": (
        {**ORDER, **AUDIT, **shipping("parcels")},
        {
            **ORDER,
            **AUDIT,
            "fraud": {"on": ["OrderPaid"], "emits": {"Checked": "F"}, "writes": {"F.v1": {"ok": "boolean"}}},
        },
    ),
    "a step that goes": ({**ORDER, **shipping("parcels")}, {"order": {**ORDER["order"], "ends": ["OrderPaid"]}}),
    "a step that comes": (ORDER, {**ORDER, **shipping("dispatch")}),
    "a workflow that goes, of steps that do not meet": (ORDER, {}),
}


@pytest.mark.parametrize(("before", "now"), UNRELATED.values(), ids=UNRELATED)
def test_what_takes_nothing_over_is_deployed_at_once(compare: Compare, before: Steps, now: Steps) -> None:
    assert len(compare(before, now).phases) == 1
