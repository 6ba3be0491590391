"""Every rule: its example, what else it sees, and what it must not see."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stamp.compat import RULES, Severity, check, rules
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


@pytest.mark.parametrize(("rule", "writer", "reader"), FOUND)
def test_a_rule_finds_what_it_is_about_and_no_other_rule_speaks(rule: str, writer: Any, reader: Any) -> None:
    assert [finding.rule for finding in check(reader, writer)] == [rule]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_example_of_a_rule_is_found_by_it_and_its_sides_read_themselves(rule: rules.Rule) -> None:
    (finding,) = check(rule.example.reader, rule.example.writer)
    assert (finding.rule, finding.severity) == (rule.id, rule.severity)
    for schema in rule.example:
        assert check(schema, schema) == ()


def test_every_rule_is_a_file_of_its_name_and_is_listed_once() -> None:
    files = {file.stem.replace("_", "-") for file in Path(str(rules.__file__)).parent.glob("[!_]*.py")}
    assert Counter(rule.id for rule in RULES) == Counter(files)


def test_every_rule_is_found_somewhere_in_the_table() -> None:
    assert {rule for rule, _, _ in FOUND} == {rule.id for rule in RULES}


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
