"""Every rule: its example, what else it sees, and what it must not see."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stamp.compat import RULES, Severity, check, rules, with_witnesses
from stamp.compat.rules import RULES_BY_KIND, STRUCTURAL


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def long(logical: str) -> dict[str, Any]:
    return {"type": "long", "logicalType": logical}


def integer(logical: str) -> dict[str, Any]:
    return {"type": "int", "logicalType": logical}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def fixed(size: int, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size, **more}


def enum(symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


UUID = {"type": "string", "logicalType": "uuid"}

SILENT: dict[str, tuple[Any, Any]] = {
    "int to long": ("int", "long"),
    "int to double": ("int", "double"),
    "float to double": ("float", "double"),
    "string to bytes": ("string", "bytes"),
    "a UUID in text is text": (UUID, "string"),
    "a decimal with more digits before the point": (decimal(9, 2), decimal(11, 2)),
    "added field with default": (record(), record(field("x", "int", default=1))),
    "removed field": (record(field("x", "int"), field("y", "int")), record(field("x", "int"))),
    "reordered fields": (record(field("x", "int"), field("y", "int")), record(field("y", "int"), field("x", "int"))),
    "renamed field with alias": (record(field("x", "int")), record(field("y", "int", aliases=["x"]))),
    "alias of a name that nobody writes any more": (
        record(field("y", "int")),
        record(field("y", "int", aliases=["x"], default=0)),
    ),
    "alias that the writer has too": (
        record(field("y", "int", aliases=["x"]), field("z", "int")),
        record(field("y", "long", aliases=["x"])),
    ),
    "renamed type with alias": (record(name="a.Old"), {**record(name="b.New"), "aliases": ["a.Old"]}),
    "another namespace": (record(name="a.R"), record(name="b.R")),
    "a field that became optional in the reader": (
        record(field("x", "string")),
        record(field("x", ["null", "string"], default=None)),
    ),
    "branches in another order": (["null", "string", "int"], ["int", "string", "null"]),
    "more branches": (["null", "int"], ["null", "string", "int"]),
    "docs": (
        {**record(field("x", "int", doc="old", order="ignore")), "doc": "old"},
        {**record(field("x", "int", doc="new")), "doc": "new"},
    ),
    "unknown properties and logical types": (
        {"type": "int", "logicalType": "colour", "unit": "red"},
        {"type": "int", "logicalType": "smell"},
    ),
    "a default that only one of them has": (record(field("x", "int")), record(field("x", "int", default=1))),
    "the same default in another form": (
        record(field("x", "double", default=1)),
        record(field("x", "double", default=1.0)),
    ),
    "an enum that grows with a default": (enum("AB"), enum("ABC", default="A")),
    "error and record": (record(), {**record(), "type": "error"}),
    "fixed": (fixed(4), {**fixed(4), "name": "a.F"}),
}


@pytest.mark.parametrize(("writer", "reader"), SILENT.values(), ids=SILENT.keys())
def test_what_can_be_read_and_means_the_same_is_no_finding(writer: Any, reader: Any) -> None:
    assert check(reader, writer) == ()


FOUND: list[tuple[str, Any, Any]] = [
    # by the letter
    ("type-mismatch", "string", "int"),
    ("type-mismatch", "long", "int"),
    ("type-mismatch", enum("A"), "string"),
    ("type-mismatch", fixed(4), "bytes"),
    ("type-mismatch", {"type": "array", "items": "int"}, {"type": "map", "values": "int"}),
    ("type-mismatch", record(field("x", ["null", "int"])), record(field("x", "int"))),
    ("name-mismatch", record(name="A"), record(name="B")),
    ("name-mismatch", record(name="a.Old"), {**record(name="b.New"), "aliases": ["Old"]}),
    ("name-mismatch", enum("A"), {**enum("A"), "name": "F"}),
    ("fixed-size-mismatch", fixed(4), fixed(8)),
    ("missing-enum-symbols", enum("ABC"), enum("AB")),
    ("missing-enum-symbols", enum("ABC", default="A"), enum("AB")),
    ("missing-enum-symbols", record(field("e", enum("AB"))), record(field("e", enum("A"), default="A"))),
    ("reader-field-missing-default-value", record(), record(field("x", "int"))),
    ("reader-field-missing-default-value", record(), record(field("x", ["null", "int"]))),
    ("reader-field-missing-default-value", record(), record(field("x", enum("A", default="A")))),
    ("missing-union-branch", "int", ["null", "string"]),
    ("missing-union-branch", ["null", "int"], ["int", "string"]),
    ("missing-union-branch", ["null", record(field("x", "int"))], ["null", record(field("x", "string"))]),
    # meaning
    ("attribute-ignored", long("date"), "long"),
    ("attribute-ignored", "long", long("date")),
    ("attribute-ignored", long("date"), long("date")),
    ("attribute-ignored", record(field("x", "long", logicalType="date")), record(field("x", "long"))),
    ("attribute-ignored", decimal(2, 3), decimal(2, 3)),
    ("attribute-ignored", record(field("x", "int")), record(field("x", "int", stamp={"Maximum": 5}))),
    ("attribute-ignored", record(field("x", "long")), record(field("x", "long", stamp={"maxLength": 3}))),
    ("logical-type-mismatch", integer("date"), long("timestamp-micros")),
    ("logical-type-mismatch", long("timestamp-micros"), long("local-timestamp-micros")),
    ("logical-type-mismatch", integer("time-millis"), integer("date")),
    ("logical-type-mismatch", "string", decimal(9, 2)),
    ("logical-type-mismatch", decimal(9, 2), "string"),
    ("logical-type-mismatch", long("timestamp-nanos"), long("timestamp-micros")),
    ("decimal-narrowed", decimal(9, 2), decimal(9, 4)),
    ("decimal-narrowed", decimal(9, 2), decimal(8, 2)),
    ("decimal-narrowed", decimal(9, 2), decimal(9, 1)),
    (
        "decimal-narrowed",
        fixed(8, logicalType="decimal", precision=9, scale=2),
        fixed(8, logicalType="decimal", precision=9, scale=3),
    ),
    ("time-unit-narrowed", long("timestamp-micros"), long("timestamp-millis")),
    ("time-unit-narrowed", long("local-timestamp-micros"), long("local-timestamp-millis")),
    ("decimal-scale-changed", decimal(9, 2), decimal(11, 4)),
    ("time-unit-changed", long("timestamp-millis"), long("timestamp-micros")),
    ("time-unit-changed", integer("time-millis"), long("time-micros")),
    ("logical-type-added", "long", long("timestamp-millis")),
    ("logical-type-added", "int", long("timestamp-millis")),
    ("logical-type-added", "bytes", decimal(9, 2)),
    ("logical-type-removed", long("timestamp-millis"), "long"),
    ("logical-type-removed", integer("date"), "double"),
    ("logical-type-removed", decimal(9, 2), "bytes"),
    ("logical-type-removed", ["null", long("timestamp-millis")], ["null", "long"]),
    ("text-read-as-uuid", "string", UUID),
    ("text-read-as-uuid", "string", ["bytes", UUID]),
    ("lossy-promotion", "int", "float"),
    ("lossy-promotion", "long", "float"),
    ("lossy-promotion", "long", "double"),
    ("lossy-promotion", ["null", "long"], ["null", "double"]),
    ("bytes-read-as-string", "bytes", "string"),
    ("alias-with-default", record(field("x", "int")), record(field("y", "int", aliases=["x"], default=0))),
    (
        "alias-claimed-twice",
        record(field("x", "int")),
        record(field("y", "int", aliases=["x"]), field("z", "int", aliases=["x"])),
    ),
    ("alias-ambiguous", record(field("x", "int"), field("y", "int")), record(field("y", "int", aliases=["x"]))),
    ("alias-ambiguous", record(field("a", "int"), field("b", "int")), record(field("y", "int", aliases=["a", "b"]))),
    ("default-changed", record(field("x", "int", default=1)), record(field("x", "int", default=2))),
    ("default-changed", record(field("x", "int", default=1)), record(field("x", "long", default=2))),
    ("enum-reordered", enum("AB"), enum("BA")),
    ("enum-reordered", enum("AB", default="A"), enum("BCA", default="A")),
    ("enum-extended-without-default", enum("AB"), enum("ABC")),
    ("enum-symbols-read-as-default", enum("ABC"), enum("AB", default="B")),
]


def paid(type_: Any, **said: Any) -> dict[str, Any]:
    return record(field("value", type_, **({"stamp": said} if said else {})))


LISTS = {"type": "array", "items": "string"}
MAPS = {"type": "map", "values": "long"}
LEVEL = enum("ABC")
PAIR = {**record(field("_0", "long"), field("_1", "long")), "name": "Tuple2_long_long"}

NARROWED: list[tuple[str, Any, Any, Any]] = [
    # rule, type, what the writer enforces, what the reader does
    ("values-narrowed", "string", {"enum": ["card", "cash"]}, {"enum": ["card"]}),
    ("values-narrowed", "string", {}, {"enum": ["card"]}),
    ("values-narrowed", "string", {"maxLength": 4}, {"enum": ["card"]}),
    ("values-narrowed", "long", {"minimum": 1, "maximum": 4}, {"enum": [1, 2, 3]}),
    ("values-narrowed", "boolean", {}, {"enum": [True]}),
    ("values-narrowed", LEVEL, {}, {"enum": ["A", "B"]}),
    ("values-narrowed", ["null", LEVEL], {}, {"enum": ["A", "B"]}),
    ("values-narrowed", {"type": "array", "items": LEVEL}, {}, {"items": {"enum": ["A", "B"]}}),
    ("values-narrowed", MAPS, {}, {"propertyNames": {"enum": ["a"]}}),
    ("range-narrowed", "long", {"maximum": 9999}, {"maximum": 999}),
    ("range-narrowed", "long", {}, {"maximum": 999}),
    ("range-narrowed", "long", {"enum": [1, 1000]}, {"maximum": 999}),
    ("range-narrowed", "int", {"maximum": 999}, {"exclusiveMaximum": 999}),
    ("range-narrowed", "long", {"exclusiveMinimum": 0}, {"minimum": 2}),
    ("range-narrowed", ["null", "long"], {"maximum": 9}, {"maximum": 8}),
    ("range-narrowed", "long", {"multipleOf": 5}, {"multipleOf": 10}),
    ("range-narrowed", "long", {"multipleOf": 5, "maximum": 100}, {"maximum": 99}),
    ("range-narrowed", "double", {"maximum": 1}, {"exclusiveMaximum": 1}),
    ("range-narrowed", "double", {}, {"finite": True}),
    ("range-narrowed", "double", {"multipleOf": 0.25}, {"multipleOf": 0.5}),
    ("range-narrowed", decimal(9, 2), {"minimum": "0"}, {"minimum": "0.01"}),
    ("range-narrowed", "string", {"format": "decimal"}, {"format": "decimal", "maximum": "9.5"}),
    ("range-narrowed", "string", {"format": "decimal"}, {"format": "decimal", "maxDigits": 5}),
    ("range-narrowed", "string", {"format": "decimal", "decimalPlaces": 3}, {"format": "decimal", "decimalPlaces": 2}),
    ("range-narrowed", integer("date"), {}, {"minimum": "2020-01-01"}),
    ("range-narrowed", long("timestamp-micros"), {}, {"maximum": "2030-01-01T00:00:00+00:00"}),
    ("range-narrowed", long("time-micros"), {}, {"minimum": "08:00:00"}),
    ("range-narrowed", long("timedelta-micros"), {"maximum": "60"}, {"maximum": "59.5"}),
    ("range-narrowed", ["null", "long", "string"], {}, {"anyOf": [{}, {"maximum": 5}, {}]}),
    ("range-narrowed", MAPS, {}, {"additionalProperties": {"minimum": 0}}),
    ("range-narrowed", PAIR, {"prefixItems": [{"minimum": 0}]}, {"prefixItems": [{"minimum": 0}, {"minimum": 0}]}),
    ("length-narrowed", "string", {"maxLength": 80}, {"maxLength": 40}),
    ("length-narrowed", "string", {}, {"minLength": 1}),
    ("length-narrowed", "bytes", {}, {"maxLength": 4}),
    ("length-narrowed", LISTS, {"maxItems": 4}, {"maxItems": 3}),
    ("length-narrowed", LISTS, {}, {"minItems": 1}),
    ("length-narrowed", LISTS, {"minItems": 2}, {"minItems": 2, "uniqueItems": True}),
    ("length-narrowed", MAPS, {}, {"maxProperties": 3}),
    ("length-narrowed", LISTS, {}, {"items": {"maxLength": 3}}),
    ("length-narrowed", "string", {"format": "email"}, {"maxLength": 20}),
    ("length-narrowed", "string", {"format": "uri"}, {"maxLength": 2083}),
    ("format-narrowed", "string", {}, {"format": "email"}),
    ("format-narrowed", "string", {"maxLength": 3}, {"format": "ipv4"}),
    ("format-narrowed", "string", {"format": "ipvanyaddress"}, {"format": "ipv4"}),
    ("format-narrowed", "string", {"format": "uri"}, {"format": "uri", "schemes": ["https"]}),
    ("format-narrowed", "string", {"enum": ["C-17"]}, {"format": "decimal"}),
    ("format-narrowed", UUID, {}, {"format": "uuid4"}),
    ("format-narrowed", "string", {}, {"pattern": "^[A-Z]+$"}),
    ("format-narrowed", "string", {"enum": ["AB", "ab"]}, {"pattern": "^[A-Z]+$"}),
    ("constraint-undecided", "string", {"pattern": "^[A-Z]{2}$"}, {"pattern": "^[A-Z]+$"}),
    ("constraint-undecided", "string", {"pattern": "^[A-Z]{2}$"}, {"maxLength": 3}),
    ("constraint-undecided", "string", {"pattern": "^(card|cash)$"}, {"enum": ["card", "cash"]}),
    ("constraint-undecided", "string", {}, {"pattern": ".*"}),
    ("constraint-undecided", "string", {}, {"pattern": "(?=x)y"}),
    ("constraint-undecided", "string", {"format": "sea-state"}, {"format": "ship"}),
]

WIDE_ENOUGH: list[tuple[Any, Any, Any]] = [
    ("long", {"maximum": 999}, {"maximum": 9999}),
    ("long", {"maximum": 999}, {}),
    ("long", {"exclusiveMaximum": 1000}, {"maximum": 999}),
    ("long", {"multipleOf": 5, "maximum": 102}, {"maximum": 100}),
    ("long", {"multipleOf": 10}, {"multipleOf": 5}),
    ("long", {"minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}),
    ("int", {}, {"minimum": -(2**31)}),
    ("long", {"enum": [1, 3]}, {"minimum": 1, "maximum": 3}),
    ("double", {"minimum": 0, "maximum": 1}, {"finite": True}),
    (decimal(5, 2), {}, {"maximum": "999.99"}),
    (integer("date"), {"minimum": "2024-01-01"}, {"exclusiveMinimum": "2023-12-31"}),
    ("string", {"enum": ["card"]}, {"enum": ["card", "cash"], "maxLength": 4}),
    ("string", {"enum": ["AB"]}, {"pattern": "^[A-Z]+$"}),
    ("string", {"pattern": "^[a-z]$"}, {"pattern": "^[a-z]$"}),
    ("string", {"pattern": "^[a-z]+$", "maxLength": 3}, {"maxLength": 4}),
    ("string", {"format": "ipv4"}, {"format": "ipvanyaddress"}),
    ("string", {"format": "ipv4"}, {"maxLength": 15}),
    ("string", {"format": "uri", "schemes": ["https"]}, {"format": "uri", "schemes": ["http", "https"]}),
    ("string", {"format": "uuid"}, {"minLength": 36, "maxLength": 36}),
    (UUID, {}, {"minLength": 36}),
    ("string", {"format": "sea-state"}, {"format": "sea-state"}),
    (LEVEL, {"enum": ["A"]}, {"enum": ["A", "B"]}),
    (LEVEL, {}, {"enum": ["A", "B", "C"]}),
    ("boolean", {}, {"enum": [False, True]}),
    (LISTS, {"maxItems": 3, "items": {"enum": ["a"]}}, {"maxItems": 3, "items": {"maxLength": 1}}),
    (LISTS, {}, {"uniqueItems": True}),  # what comes twice is read once, and not refused
    ("string", {}, {"validator": "R.value"}),
    ("string", {}, {"x-unit": "kg"}),
]


@pytest.mark.parametrize(("rule", "type_", "written", "wanted"), NARROWED)
def test_a_view_that_accepts_less_than_is_written_is_found(rule: str, type_: Any, written: Any, wanted: Any) -> None:
    findings = check(paid(type_, **wanted), paid(type_, **written))
    assert [finding.rule for finding in findings] == [rule]
    shown = with_witnesses(findings, paid(type_, **wanted), paid(type_, **written))
    assert all((each.witness is not None) is (each.severity is Severity.ERROR) for each in shown)


@pytest.mark.parametrize(("type_", "written", "wanted"), WIDE_ENOUGH)
def test_a_view_that_accepts_what_is_written_is_silent(type_: Any, written: Any, wanted: Any) -> None:
    assert check(paid(type_, **wanted), paid(type_, **written)) == ()


def test_branches_are_compared_by_what_is_read_and_not_by_their_place() -> None:
    writer = paid(["long", "string"], anyOf=[{"maximum": 5}, {}])
    assert check(paid(["string", "long"], anyOf=[{}, {"maximum": 5}]), writer) == ()
    (finding,) = check(paid(["string", "long"], anyOf=[{}, {"maximum": 4}]), writer)
    assert (finding.rule, finding.path, finding.pointer) == (
        "range-narrowed",
        "value",
        "/fields/0/stamp/anyOf/1/maximum",
    )


@pytest.mark.parametrize(("rule", "writer", "reader"), FOUND)
def test_a_rule_finds_what_it_is_about_and_no_other_rule_speaks(rule: str, writer: Any, reader: Any) -> None:
    assert [finding.rule for finding in check(reader, writer)] == [rule]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_example_of_a_rule_is_found_by_it_and_its_sides_read_themselves(rule: rules.Rule) -> None:
    (finding,) = check(rule.example.reader, rule.example.writer)
    assert (finding.rule, finding.severity) == (rule.id, rule.severity)
    for schema in rule.example:
        assert {each.rule for each in check(schema, schema)} <= ABOUT_ONE_SIDE


ABOUT_ONE_SIDE = {"attribute-ignored"}
"""Rules about what one schema says for nothing, whatever the other one is."""


def test_every_rule_is_a_file_of_its_name_and_is_listed_once() -> None:
    files = {file.stem.replace("_", "-") for file in Path(str(rules.__file__)).parent.glob("[!_]*.py")}
    assert Counter(rule.id for rule in RULES) == Counter(files)


def test_every_rule_is_found_somewhere_in_the_table() -> None:
    assert {rule for rule, *_ in (*FOUND, *NARROWED)} == {rule.id for rule in RULES}


def test_rules_are_told_in_the_order_of_their_severity() -> None:
    severities = [rule.severity.rank for rule in RULES]
    assert severities == sorted(severities)
    assert all(rule.severity is Severity.ERROR for rule in RULES if rule.id in STRUCTURAL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_words_of_a_rule_are_sentences(rule: rules.Rule) -> None:
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    for text in (rule.why, rule.remedy):
        assert text[0].isupper()
        assert text.endswith(".")


def test_rules_see_pairs_of_their_kinds_only() -> None:
    for kind, looking in RULES_BY_KIND.items():
        assert all(kind in rule.kinds for rule in looking)
    assert {rule.id for looking in RULES_BY_KIND.values() for rule in looking} | {"missing-union-branch"} == {
        rule.id for rule in RULES
    }


def test_several_rules_may_speak_of_one_pair() -> None:
    findings = check(
        record(field("y", "float", aliases=["x"], default=0)), record(field("x", "long"), field("y", "long"))
    )
    assert {finding.rule for finding in findings} == {"alias-ambiguous", "lossy-promotion"}
    assert [each.rule for each in check(UUID, "bytes")] == ["text-read-as-uuid", "bytes-read-as-string"]


PLACES: list[tuple[Any, Any, tuple[str, str, str | None]]] = [
    (enum("AB"), enum("BA"), ("", "/symbols", '["B", "A"]')),
    (record(field("d", decimal(9, 2))), record(field("d", decimal(11, 4))), ("d", "/fields/0/type", "4")),
    (record(field("t", integer("date"))), record(field("t", "int")), ("t", "/fields/0/type", '"int"')),
    (
        record(field("x", "int", default=1)),
        record(field("x", "int", default=2)),
        ("x", "/fields/0/default", "2"),
    ),
    (
        record(field("x", "int")),
        record(field("y", "int", aliases=["x"], default=0)),
        ("y", "/fields/0/default", "0"),
    ),
]


@pytest.mark.parametrize(("writer", "reader", "expected"), PLACES)
def test_findings_point_to_what_they_are_about(writer: Any, reader: Any, expected: Any) -> None:
    (finding,) = check(reader, writer)
    assert (finding.path, finding.pointer, finding.reader and finding.reader.text) == expected


@pytest.mark.parametrize(
    "rule", ["reader-field-missing-default-value", "name-mismatch", "missing-union-branch", "missing-enum-symbols"]
)
def test_a_message_keeps_to_the_cause(rule: str) -> None:
    (example,) = [each.example for each in RULES if each.id == rule]
    (message,) = {leaf.message for each in check(example.reader, example.writer) for leaf in each.leaves()}
    assert message.startswith("expected ")
    assert not re.search(r"\b(give|add)\b", message)
