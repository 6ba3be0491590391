"""Fixes: each has been tried, so each is tried again here."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stamp.compat import MAX_FIXES, Finding, Fixes, Severity, Witnesses, check, with_fixes, with_witnesses
from stamp.errors import SchemaError


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def enum(symbols: list[str], **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": symbols, **more}


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}

FIXES: list[tuple[Any, Any, str, Any]] = [
    (record(), record(field("tags", {"type": "array", "items": "int"})), "give tags the default []", None),
    (
        record(),
        record(field("x", ["string", "null"])),
        "give x the default null, which is read instead",
        record(field("x", ["null", "string"], default=None)),
    ),
    (
        record(),
        record(field("x", "string")),
        "make x optional, with the default null, which is read instead",
        record(field("x", ["null", "string"], default=None)),
    ),
    (
        record(field("priority", "string")),
        record(field("priority_level", "string")),
        (
            "if priority is priority_level renamed: rename priority_level to priority, with the alias priority_level, "
            "or give priority_level the alias priority"
        ),
        record(field("priority_level", "string", aliases=["priority"])),
    ),
    (
        record(field("priority", "string")),
        record(field("priority_level", "int")),
        "make priority_level optional, with the default null, which is read instead",
        None,
    ),
    (
        record(field("urgency", enum(["A"], doc="How urgent it is.")), field("minutes", "long")),
        record(field("priority", enum(["A"]))),
        "if urgency is priority renamed: rename priority to urgency, with the alias priority, or give priority the alias urgency",
        record(field("priority", enum(["A"]), aliases=["urgency"])),
    ),
    (  # either could be it
        record(field("b", "string"), field("c", "string")),
        record(field("x", "string")),
        (
            "make x optional, with the default null, which is read instead; but if b or c is x renamed, "
            "give it that alias instead, or its value is lost"
        ),
        None,
    ),
    (  # it is read already
        record(field("urgency", "string")),
        record(field("urgency", "string"), field("x", "string")),
        "make x optional, with the default null, which is read instead",
        None,
    ),
    (record(name="a.Old"), record(name="New"), "if New is a.Old renamed: give it the alias a.Old", None),
    (record(name="Old"), record(name="a.New"), "call it Old", record(name="a.Old") | {"name": "Old"}),
    (
        enum(["LOW", "HIGH"]),
        enum(["UNKNOWN", "LOW"]),
        "make UNKNOWN the default of E",
        enum(["UNKNOWN", "LOW"], default="UNKNOWN"),
    ),
    (enum(["A", "B"]), enum(["A"]), "add B to E", enum(["A", "B"])),
    (
        record(field("x", ["null", "int"])),
        record(field("x", "int")),
        "give it a null branch",
        record(field("x", ["null", "int"])),
    ),
    (
        record(field("x", ["null", "int"])),
        record(field("x", "int", default=3)),
        "give it a null branch",
        record(field("x", ["int", "null"], default=3)),
    ),
    ("long", "int", "read it as long", "long"),
    (["null", "long"], ["null", "int"], "read int as long", ["null", "long"]),
    (["null", "string"], ["null", "int"], "add string to the union", ["null", "int", "string"]),
    (DECIMAL, DECIMAL | {"scale": 4}, "make it decimal(11, 4)", DECIMAL | {"precision": 11, "scale": 4}),
    (MICROS, MILLIS, "read it as timestamp-micros", MICROS),
    (MICROS, "long", "read it as timestamp-micros", MICROS),
    (
        record(field("x", "int")),
        record(field("y", "int", aliases=["x"], default=0)),
        "leave out the default of y for as long as the old name is written",
        record(field("y", "int", aliases=["x"])),
    ),
]


@pytest.mark.parametrize(("writer", "reader", "text", "fixed"), FIXES)
def test_a_fix_says_what_to_do_and_has_the_changed_schema(writer: Any, reader: Any, text: str, fixed: Any) -> None:
    (finding,) = with_fixes(check(reader, writer), reader, writer)
    assert finding.fix is not None
    assert (finding.fix.side, finding.fix.text) == ("reader", text)
    assert [each.rule for each in check(finding.fix.schema, writer) if each.rule == finding.rule] == []
    if fixed is not None:
        assert json.loads(finding.fix.schema) == fixed


NONE: list[tuple[Any, Any]] = [
    ("string", "int"),
    ({"type": "fixed", "name": "F", "size": 2}, {"type": "fixed", "name": "F", "size": 4}),
    ({"type": "int", "logicalType": "date"}, MICROS),
    # the alias would make the field readable, were its type right
    (["null", record(field("x", "string"), name="A")], ["null", record(field("x", "int"), name="A")]),
]


@pytest.mark.parametrize(("writer", "reader"), NONE)
def test_where_nothing_helps_nothing_is_offered(writer: Any, reader: Any) -> None:
    assert all(leaf.fix is None for each in with_fixes(check(reader, writer), reader, writer) for leaf in each.leaves())


@pytest.mark.parametrize(
    ("before", "is_renamed"),
    [
        (record(field("address", "string"), field("total", "long")), True),
        (record(field("address", "string"), field("buyer", "string")), False),
        (record(field("home", "string"), field("buyer", "string")), False),
        (record(field("a", ["null", record(field("address", "string"), field("buyer", "string"), name="N")])), True),
    ],
)
def test_a_field_that_stood_beside_another_is_not_taken_for_that_one_renamed(before: Any, is_renamed: bool) -> None:
    writer, reader = record(field("buyer", "string")), record(field("address", "string", aliases=["home"]))
    (finding,) = with_fixes(check(reader, writer), reader, writer, versions=[before, writer])
    assert finding.fix is not None
    assert ("buyer" in finding.fix.text) is is_renamed


def test_so_it_is_in_an_inner_record() -> None:
    def holding(*names: str) -> Any:
        inner = record(*(field(name, "string") for name in names), name="Inner")
        return record(field("inner", {"type": "array", "items": inner}))

    writer, reader = holding("buyer"), holding("address")
    for before, is_renamed in ((holding("address"), True), (holding("address", "buyer"), False)):
        (finding,) = with_fixes(check(reader, writer), reader, writer, versions=[before])
        (cause,) = finding.leaves()
        assert cause.fix is not None
        assert ("buyer" in cause.fix.text) is is_renamed


def test_the_cause_gets_the_fix() -> None:
    writer = record(field("u", ["null", record(name="N")]))
    reader = record(field("u", ["null", record(field("x", "int"), name="N")]))
    (finding,) = with_fixes(check(reader, writer), reader, writer)
    assert finding.fix is None
    (cause,) = finding.causes
    assert cause.fix is not None
    assert check(cause.fix.schema, writer) == ()


def test_a_view_is_fixed_as_a_view() -> None:
    writer, view = record(name="Writes"), record(field("x", "int"), name="View")
    (finding,) = with_fixes(check(view, writer, as_view=True), view, writer, as_view=True)
    assert finding.fix is not None
    assert check(finding.fix.schema, writer, as_view=True) == ()


def test_one_fix_mends_every_place_of_a_shared_type() -> None:
    def pair(leaf: str) -> Any:
        return record(field("a", record(field("k", leaf), name="N")), field("b", "N"))

    first, second = with_fixes(check(pair("int"), pair("long")), pair("int"), pair("long"))
    assert first.fix is not None
    assert first.fix == second.fix
    assert check(first.fix.schema, pair("long")) == ()


def test_fixes_never_break_anything_else(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=150)
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        try:
            findings = check(reader, writer)
        except SchemaError:
            assume(False)
            raise
        for finding in with_fixes(findings, reader, writer):
            for leaf in finding.leaves():
                if leaf.fix is not None:
                    assert errors(check(leaf.fix.schema, writer)) <= errors(findings) - {(leaf.rule, leaf.path)}

    law()


def errors(findings: Any) -> set[tuple[str, str]]:
    leaves: list[Finding] = [leaf for finding in findings for leaf in finding.leaves()]
    return {(leaf.rule, leaf.path) for leaf in leaves if leaf.severity is Severity.ERROR}


# ---- many findings of one pair


def renamed(count: int) -> tuple[Any, Any]:
    """A writer and a reader whose fields have other names."""
    return tuple(record(*(field(f"{stem}_{n}", "string") for n in range(count))) for stem in ("old", "new"))  # type: ignore[return-value]


def test_of_one_pair_so_many_findings_are_tried_and_no_finding_is_lost():
    writer, reader = renamed(MAX_FIXES + 7)
    found = list(check(reader, writer))
    fixes = Fixes(found, reader, writer)
    fixed = [fixes.added_to(each) for each in found]
    assert [each.fix is not None for each in fixed] == [True] * MAX_FIXES + [False] * 7
    assert (fixes.over_limit, fixes.late) == (7, 0)
    assert [(each.rule, each.path) for each in fixed] == [(each.rule, each.path) for each in found]


def test_time_is_asked_for_before_each_trial():
    writer, reader = renamed(20)
    found, left = list(check(reader, writer)), iter(range(5))
    fixes = Fixes(found, reader, writer, is_over=lambda: next(left, None) is None)
    witnesses = Witnesses(reader, writer, is_over=lambda: fixes.late > 0)
    assert sum(fixes.added_to(each).fix is not None for each in found) == 5
    assert all(witnesses.added_to(each) == each for each in found)
    assert witnesses.untried == len(found)
    assert (fixes.over_limit, fixes.late) == (0, 15)


def test_a_witness_for_each_of_many_missing_fields_is_about_that_field():
    writer, reader = renamed(30)
    for each in with_witnesses(check(reader, writer), reader, writer):
        assert each.witness is not None
        assert each.witness.outcome.startswith(f"{each.path}: the reader's field '{each.path}' has no default")


def test_findings_without_fragments_are_the_same_else():
    writer, reader = renamed(3)
    assert [replace(each, reader=None, writer=None) for each in check(reader, writer)] == list(
        check(reader, writer, fragments=False)
    )
