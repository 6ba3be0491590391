"""Ways out of changes without a safe order: what is advised, and that each step of it is safe when it is done."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp.compat import Severity, check
from stamp.ripple import Report, contracts_of, ripple
from stamp.ripple.example import files
from stamp.ripple.sketch import Sketch
from stamp.ripple.tolerant import Tolerance
from stamp.schema.resolve import PROMOTIONS

from .test_order import TODAY, changes

Steps = dict[str, dict[str, Any]]
Compare = Callable[..., Report]

SHOP: Steps = {
    "order": {
        "emits": {"OrderStarted": "Order"},
        "writes": {"Order.v1": {"total": "long", "buyer": "string", "address": "string"}},
    },
    "stock": {
        "on": ["OrderStarted"],
        "emits": {"StockConfirmed": "Stock"},
        "writes": {"Stock.v1": {"house": "string"}},
    },
    "payment": {"on": ["StockConfirmed"], "emits": {"OrderPaid": "Paid"}, "writes": {"Paid.v1": {"ref": "string"}}},
    "shipping": {
        "on": ["OrderPaid"],
        "emits": {"OrderShipped": "Shipped"},
        "ends": ["OrderShipped"],
        "reads": {"payment": {"ref": "string"}},
        "writes": {"Shipped.v1": {"tracking": "string"}},
    },
}
FRAUD = {"on": ["StockConfirmed"], "emits": {"FraudChecked": "Fraud"}, "writes": {"Fraud.v1": {"score": "double"}}}


def changed(*steps: Steps, without: str = "", start: Steps = SHOP) -> Steps:
    """Return the shop with other keys of some steps; a step that it does not have is new."""
    found = deepcopy(start)
    for step in steps:
        for name, said in step.items():
            found[name] = {**found.get(name, {}), **said}
    return {name: said for name, said in found.items() if name != without}


def renamed(first: Any, second: Any, view: Any) -> tuple[Steps, Steps]:
    """Return the shop before and after stock writes other fields, with readers that change with it; or not, where the view fits the first."""
    old_view = view if isinstance(view, dict) and view.keys() <= first.keys() else {next(iter(first)): "string"}
    before = changed({step: {"reads": {"stock": old_view}} for step in ("payment", "shipping")})
    before["stock"]["writes"] = {"Stock.v1": first}
    now = changed({step: {"reads": {"stock": view}} for step in ("payment", "shipping")}, start=before)
    now["stock"]["writes"] = {"Stock.v1": first, "Stock.v2": second}
    return before, now


def said(report: Report) -> str:
    (rollout,) = report.rollouts
    assert not rollout.is_safe
    return " ".join(rollout.ways_out)


def errors(report: Report) -> list[str]:
    return [each.message for each in report.findings if each.severity is Severity.ERROR]


class TestEvents:
    INSERTED = changed({"fraud": FRAUD, "payment": {"on": ["FraudChecked"]}})

    def test_a_renamed_event_is_heard_by_both_names_for_a_while(self, compare: Compare) -> None:
        now = changed(
            {"payment": {"emits": {"OrderSettled": "Paid"}}, "shipping": {"on": ["OrderSettled"]}},
        )
        assert said(compare(SHOP, now)) == (
            "Expand: let shipping listen to OrderSettled as well as to OrderPaid, and deploy that before all others. "
            "Contract: let shipping drop OrderPaid when the queue has none left"
        )

    def test_its_steps_are_safe_one_by_one(self, compare: Compare) -> None:
        both = changed({"shipping": {"on": ["OrderPaid", "OrderSettled"]}})
        switched = changed({"payment": {"emits": {"OrderSettled": "Paid"}}}, start=both)
        done = changed({"shipping": {"on": ["OrderSettled"]}}, start=switched)
        for before, after in ((SHOP, both), (both, switched), (switched, done)):
            report = compare(before, after)
            assert errors(report) == []
            assert all(each.is_safe for each in report.rollouts)

    @pytest.mark.parametrize("on", [["FraudChecked"], ["StockConfirmed", "FraudChecked"]])
    def test_before_a_step_that_is_put_between_two_others_an_event_gets_a_new_name(
        self, compare: Compare, on: list[str]
    ) -> None:
        now = changed({"payment": {"on": on}}, start=self.INSERTED)
        assert said(compare(SHOP, now)) == (
            "Expand: in one change let stock publish StockConfirmed2 instead of StockConfirmed, fraud listen to StockConfirmed2 and "
            "payment listen to StockConfirmed and FraudChecked, and deploy it in the order that `stamp plan` tells. "
            "Contract: let payment drop StockConfirmed when the queue has none left"
        )

    def test_its_steps_are_safe_and_trigger_nothing_twice(self, compare: Compare) -> None:
        expanded = changed(
            {
                "stock": {"emits": {"StockConfirmed2": "Stock"}},
                "fraud": {"on": ["StockConfirmed2"]},
                "payment": {"on": ["StockConfirmed", "FraudChecked"]},
            },
            start=self.INSERTED,
        )
        contracted = changed({"payment": {"on": ["FraudChecked"]}}, start=expanded)
        first, second = compare(SHOP, expanded), compare(expanded, contracted)
        assert errors(first) == errors(second) == []
        assert [each.steps for each in first.phases] == [("fraud", "payment"), ("stock",)]
        assert all(each.is_safe for each in (*first.rollouts, *second.rollouts))

    def test_others_who_listen_to_that_event_hear_both_names(self, compare: Compare) -> None:
        before = changed({"audit": {"on": ["StockConfirmed"]}})
        now = changed({"audit": {"on": ["StockConfirmed"]}}, start=self.INSERTED)
        assert "audit listen to StockConfirmed and StockConfirmed2" in said(compare(before, now))
        assert "audit drop StockConfirmed" in said(compare(before, now))

    def test_a_step_that_is_taken_from_between_two_others_is_led_around(self, compare: Compare) -> None:
        before = changed({"fraud": {**FRAUD, "on": ["StockConfirmed"]}, "payment": {"on": ["FraudChecked"]}})
        now = changed(start=SHOP)
        way = said(compare(before, now))
        assert "let stock publish StockConfirmed2 instead of StockConfirmed" in way
        assert "payment listen to FraudChecked and StockConfirmed2" in way

    def test_where_nothing_is_found_the_flow_has_to_stop(self, compare: Compare) -> None:
        now = changed(
            {
                "stock": {"on": ["OrderPaid"]},
                "payment": {"on": ["OrderStarted"]},
                "shipping": {"on": ["StockConfirmed"]},
            }
        )
        (way,) = compare(SHOP, now).rollouts[0].ways_out
        assert way.startswith("Stop what starts runs")


class TestViews:
    def test_a_reader_takes_both_before_the_writer_changes(self, compare: Compare) -> None:
        before = changed({"shipping": {"reads": {"order": {"address": "string"}}}})
        now = changed(
            {"order": {"writes": {**SHOP["order"]["writes"], "Order.v2": {"total": "long", "buyer": "string"}}}},
            start=before,
        )
        assert said(compare(before, now)) == (
            "Expand: let shipping read order.address of Order.v1 and Order.v2 alike (a default for what is missing), "
            "and deploy that before order"
        )

    def test_its_step_is_safe(self, compare: Compare) -> None:
        before = changed({"shipping": {"reads": {"order": {"address": "string"}}}})
        optional = [{"name": "address", "type": ["null", "string"], "default": None}]
        now = changed(
            {
                "order": {"writes": {**SHOP["order"]["writes"], "Order.v2": {"total": "long", "buyer": "string"}}},
                "shipping": {"reads": {"order": optional}},
            },
            start=before,
        )
        report = compare(before, now)
        assert errors(report) == []
        assert [each.steps for each in report.phases] == [("shipping",), ("order",)]

    def test_two_ends_that_change_a_type_at_once_go_through_a_union(self, compare: Compare) -> None:
        now = changed(
            {
                "payment": {"writes": {"Paid.v1": {"ref": "string"}, "Paid.v2": {"ref": "long"}}},
                "shipping": {"reads": {"payment": {"ref": "long"}}},
            }
        )
        assert said(compare(SHOP, now)) == (
            "Expand: let shipping read payment.ref of Paid.v1 and Paid.v2 alike (a union of both types), and deploy that before payment. "
            'Contract: when no data of Paid.v1 are left, say so under "retired" in the step.json of payment, then narrow the view'
        )

    @pytest.mark.parametrize(("wanted", "alias"), [("aisle", "house"), ("house", "aisle")])
    def test_a_renamed_field_is_read_by_both_names(self, compare: Compare, wanted: str, alias: str) -> None:
        """Its readers are changed with it, or not."""
        before, now = renamed({"house": "string"}, {"aisle": "string"}, {wanted: "string"})
        assert (
            f"let payment and shipping read stock.{wanted} of Stock.v1 and Stock.v2 alike "
            f"(the alias {alias} for {wanted}, if that is {alias} renamed), and deploy that before stock"
        ) in said(compare(before, now))

    def test_a_renamed_field_of_a_version_that_has_both_gets_a_default(self, compare: Compare) -> None:
        before, now = renamed({"house": "string"}, {"house": "string", "aisle": "string"}, {"aisle": "string"})
        assert "(a default for what is missing)" in said(compare(before, now))

    def test_a_default_is_not_advised_in_silence_where_a_field_may_be_renamed(self, compare: Compare) -> None:
        before, now = renamed({"house": "string", "town": "string"}, {"aisle": "string"}, {"aisle": "string"})
        assert (
            "(a default for what is missing, but if house or town is aisle renamed, that alias: a default would lose its value)"
        ) in said(compare(before, now))

    def test_with_the_alias_its_steps_are_safe_and_no_value_is_lost(self, compare: Compare) -> None:
        alias = [{"name": "aisle", "type": "string", "aliases": ["house"]}]
        before, now = renamed({"house": "string"}, {"aisle": "string"}, alias)
        report = compare(before, now)
        assert errors(report) == []
        assert [each.steps for each in report.phases] == [("payment", "shipping"), ("stock",)]

    @pytest.mark.parametrize(
        ("narrow", "wide"), [(one, each) for one, wider in PROMOTIONS.items() for each in sorted(wider)]
    )
    def test_a_promotion_has_a_way_out_whoever_changes(self, compare: Compare, narrow: str, wide: str) -> None:
        """Text and bytes are read as each other already."""
        for was, now, view in ((narrow, wide, narrow), (wide, narrow, narrow)):
            writes = {"Paid.v1": {"ref": was}, "Paid.v2": {"ref": now}}
            before = changed(
                {"payment": {"writes": {"Paid.v1": {"ref": was}}}, "shipping": {"reads": {"payment": {"ref": was}}}}
            )
            after = changed({"payment": {"writes": writes}, "shipping": {"reads": {"payment": {"ref": view}}}})
            (rollout,) = compare(before, after).rollouts
            assert rollout.is_safe is ({narrow, wide} == {"string", "bytes"})
            assert rollout.is_safe or f"({wide} instead of {narrow}" in " ".join(rollout.ways_out)

    def test_the_wider_type_makes_a_safe_order(self, compare: Compare) -> None:
        writes = {"Paid.v1": {"ref": "long"}, "Paid.v2": {"ref": "double"}}
        before = changed(
            {"payment": {"writes": {"Paid.v1": {"ref": "long"}}}, "shipping": {"reads": {"payment": {"ref": "long"}}}}
        )
        now = changed({"payment": {"writes": writes}, "shipping": {"reads": {"payment": {"ref": "double"}}}})
        report = compare(before, now)
        assert errors(report) == []
        assert [each.steps for each in report.phases] == [("shipping",), ("payment",)]

    def test_nothing_is_advised_that_a_check_refuses(self, compare: Compare) -> None:
        """A released file that is edited stays an error, whatever a view reads."""
        now = changed({"payment": {"writes": {"Paid.v1": {"ref": "long"}}}})
        assert said(compare(SHOP, now)) == ""


@settings(max_examples=60, deadline=None)
@given(changes())
def test_whatever_changes_there_is_an_order_or_what_is_in_the_way(change: tuple[Steps, Steps]) -> None:
    before, now = change
    present = contracts_of(files(now), name="now")
    report = ripple(present, [contracts_of(files(before), name="main", like=present)], today=TODAY)
    for rollout in report.rollouts:
        assert rollout.is_safe is not bool(rollout.obstacles)
        assert not (rollout.is_safe and rollout.ways_out)
        assert all(way.startswith(("Expand: ", "Stop ")) for way in rollout.ways_out)


def test_a_sketch_changes_nothing_but_itself() -> None:
    contracts = contracts_of(files(SHOP), name="now")
    sketch = Sketch(contracts, "ticket")
    sketch.say("payment", on=["FraudChecked"], ends=[])
    sketch.read("shipping", "payment", {"type": "record", "name": "View", "fields": []})

    changed = sketch.contracts()

    assert changed.steps["ticket", "payment"].on == ("FraudChecked",)
    assert "ends" not in sketch.said("payment")
    assert contracts.steps["ticket", "payment"].on == ("StockConfirmed",)
    assert sketch.view("shipping", "payment")["fields"] == []
    assert changed.files["ticket", "order"] == contracts.files["ticket", "order"]


TYPES = st.recursive(
    st.sampled_from(["int", "long", "double", "string", "boolean"]),
    lambda inner: st.one_of(
        inner.map(lambda each: {"type": "array", "items": each}),
        inner.map(lambda each: {"type": "map", "values": each}),
        inner.filter(lambda each: not isinstance(each, list)).map(lambda each: ["null", each]),
    ),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from("abc"), TYPES), st.dictionaries(st.sampled_from("abc"), TYPES))
def test_a_tolerant_view_reads_both_where_it_is_a_schema(one: dict[str, Any], other: dict[str, Any]) -> None:
    view, written = (
        {"type": "record", "name": "R", "fields": [{"name": name, "type": type_} for name, type_ in fields.items()]}
        for fields in (one, other)
    )
    both = Tolerance().of(view, written)
    assert [each for each in check(both, view) if each.severity is Severity.ERROR] == []
    assert [each for each in check(both, written) if each.severity is Severity.ERROR] == []
    assert {each["name"] for each in both["fields"]} == set(one)
