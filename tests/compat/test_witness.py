"""Witnesses: the smallest datum of each kind of trouble, and that what they say happens."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stamp.compat import RULES, Finding, Severity, Witness, check, read_source, with_witnesses, witness
from stamp.errors import DecodeError, LimitError, ResolutionError, SchemaError
from stamp.schema.decoder import decoder
from stamp.schema.decoding import Decoder


def record(*fields: Any, name: str = "R") -> dict[str, Any]:
    listed = [{"name": field, "type": type_} for field, type_ in fields]
    return {"type": "record", "name": name, "fields": listed}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def enum(symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F") -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def logical(name: str, kind: str = "long") -> dict[str, Any]:
    return {"type": kind, "logicalType": name}


UUID = logical("uuid", "string")
NO_UUID = "00000000-0000-0000-0000-000000000000"


def chain(value: Any, rest: Any) -> dict[str, Any]:
    return record(("rest", rest), ("value", value), name="List")


# -- what cannot be read

REFUSED: list[tuple[str, Any, Any, Any, bytes, str]] = [
    ("type-mismatch", "int", "string", 0, b"\0", "int cannot be read as string"),
    ("name-mismatch", record(name="A"), record(name="B"), {}, b"", "record A has another name than record B"),
    ("fixed-size-mismatch", fixed(2), fixed(4), "0000", b"\0\0", "fixed F has 2 bytes, fixed F 4"),
    ("missing-enum-symbols", enum("ABC"), enum("AB"), "C", b"\4", "C is no symbol of enum E, which has no default"),
    (
        "reader-field-missing-default-value",
        record(("k", "int")),
        record(("k", "int"), ("x", "int")),
        {"k": 0},
        b"\0",
        "x: the reader's field 'x' has no default and record R does not have the field",
    ),
    ("missing-union-branch", ["null", "string"], ["null", "int"], "", b"\2\0", "string cannot be read as any branch"),
    ("missing-union-branch", "int", ["null", "string"], 0, b"\0", "int cannot be read as any branch"),
    ("decimal-narrowed", decimal(9, 2), decimal(8, 2), "9999999.99", b"\10\x3b\x9a\xc9\xff", "cannot hold"),
    ("decimal-narrowed", decimal(9, 3), decimal(9, 2), "999999.999", b"\10\x3b\x9a\xc9\xff", "cannot hold"),
    (
        "time-unit-narrowed",
        logical("timestamp-micros"),
        logical("timestamp-millis"),
        "1970-01-01T00:00:00.000001+00:00",
        b"\2",
        "means something else",
    ),
    (
        "logical-type-mismatch",
        logical("date", "int"),
        logical("timestamp-micros"),
        "1970-01-01",
        b"\0",
        "date means something else than timestamp-micros",
    ),
]

MISREAD: list[tuple[str, Any, Any, Any, bytes, str]] = [
    ("text-read-as-uuid", "string", UUID, "C-17", b"\x08C-17", "expected a UUID in 36 characters, got 'C-17'"),
    ("bytes-read-as-string", "bytes", "string", "ff", b"\2\xff", "expected UTF-8 text"),
    (
        "enum-symbols-read-as-default",
        enum("ABC"),
        enum("AB", default="A"),
        "C",
        b"\4",
        'the whole: read as "A" instead of "C"',
    ),
    (
        "lossy-promotion",
        "long",
        "double",
        2**53 + 1,
        b"\x82\x80\x80\x80\x80\x80\x80\x20",
        "the whole: read as 9007199254740992.0 instead of 9007199254740993",
    ),
    ("logical-type-added", "int", logical("time-millis", "int"), -1, b"\1", "expected a time of day"),
    ("logical-type-added", "bytes", decimal(4, 2), "2710", b"\4\x27\x10", "expected a decimal of at most 4 digits"),
    (
        "logical-type-removed",
        logical("timestamp-millis"),
        "long",
        "1970-01-01T00:00:00.001000+00:00",
        b"\2",
        "the whole: read as 1 instead of 1970-01-01T00:00:00.001000+00:00",
    ),
    (
        "logical-type-removed",
        decimal(3, 2),
        "bytes",
        "9.99",
        b"\4\x03\xe7",
        "the whole: read as the bytes 03e7 instead of 9.99",
    ),
]


@pytest.mark.parametrize(("rule", "writer", "reader", "datum", "data", "outcome"), [*REFUSED, *MISREAD])
def test_a_finding_has_the_smallest_datum_that_shows_it(
    rule: str, writer: Any, reader: Any, datum: Any, data: bytes, outcome: str
) -> None:
    (finding,) = with_witnesses(check(reader, writer), reader, writer)
    assert finding.rule == rule
    assert finding.witness is not None
    assert (json.loads(finding.witness.datum), finding.witness.data) == (datum, data)
    assert outcome in finding.witness.outcome
    assert witness(reader, writer) == finding.witness


AROUND: list[tuple[str, Any, Any, bytes, bytes]] = [
    ("x", lambda t: record(("a", "string"), ("x", t)), lambda d: {"a": "", "x": d}, b"\0", b""),
    ("[]", array, lambda d: [d], b"\2", b"\0"),
    ("{}", mapping, lambda d: {"key": d}, b"\2\6key", b"\0"),
    ("x[]", lambda t: record(("x", array(t))), lambda d: {"x": [d]}, b"\2", b"\0"),
    ("x", lambda t: record(("x", ["null", t]), ("n", "null")), lambda d: {"x": d, "n": None}, b"\2", b""),
    ("x", lambda t: record(("o", ["string", "null"]), ("x", t)), lambda d: {"o": None, "x": d}, b"\2", b""),
    (
        "rest[].value",
        lambda t: record(("rest", array(record(("more", array("int")), ("value", t), name="I"))), name="List"),
        lambda d: {"rest": [{"more": [], "value": d}]},
        b"\2\0",
        b"\0",
    ),
]


@pytest.mark.parametrize(("path", "inside", "shown", "before", "after"), AROUND, ids=range(len(AROUND)))
@pytest.mark.parametrize(("rule", "writer", "reader", "datum", "data", "outcome"), REFUSED[:4] + REFUSED[7:])
def test_around_what_is_refused_stand_the_smallest_data(
    path: str, inside: Any, shown: Any, before: bytes, after: bytes, rule: str, writer: Any, reader: Any, datum: Any,
    data: bytes, outcome: str,
) -> None:  # fmt: skip
    whole = inside(writer), inside(reader)
    findings = with_witnesses(check(*reversed(whole)), whole[1], whole[0])
    leaves = [leaf for finding in findings for leaf in finding.leaves()]
    found = [leaf.witness for leaf in leaves if leaf.witness is not None and leaf.severity is Severity.ERROR]
    assert found
    for each in found:
        assert (json.loads(each.datum), each.data) == (shown(datum), before + data + after)
    assert witness(whole[1], whole[0], path) == found[0]


RECURSIVE: list[tuple[Any, Any, str, Any, bytes]] = [
    (chain("string", ["null", "List"]), chain("int", ["null", "List"]), "value", {"rest": None, "value": ""}, b"\0\0"),
    (chain("string", array("List")), chain("int", array("List")), "value", {"rest": [], "value": ""}, b"\0\0"),
    (chain("int", ["null", "List"]), chain("int", "List"), "rest", {"rest": None, "value": 0}, b"\0\0"),
    (
        record(("head", ["null", chain("string", ["null", "List"])])),
        record(("head", ["null", chain("int", ["null", "List"])])),
        "head.value",
        {"head": {"rest": None, "value": ""}},
        b"\2\0\0",
    ),
]


@pytest.mark.parametrize(("writer", "reader", "path", "datum", "data"), RECURSIVE)
def test_recursive_data_end_as_soon_as_they_can(writer: Any, reader: Any, path: str, datum: Any, data: bytes) -> None:
    found = witness(reader, writer, path)
    assert found is not None
    assert (json.loads(found.datum), found.data) == (datum, data)


def test_a_witness_has_the_error_of_its_own_place_though_another_comes_first() -> None:
    writer, reader = record(("a", "string"), ("b", "string")), record(("a", "int"), ("b", "int"))
    first, second = with_witnesses(check(reader, writer), reader, writer)
    assert first.witness is not None
    assert second.witness is not None
    assert first.witness.data == second.witness.data == b"\0\0"
    assert first.witness.outcome == "a: string cannot be read as int (at byte 0)"
    assert second.witness.outcome == "b: string cannot be read as int (at byte 1)"


def test_each_of_several_missing_fields_is_named() -> None:
    findings = check(record(("x", "int"), ("y", "int")), record())
    first, second = with_witnesses(findings, record(("x", "int"), ("y", "int")), record())
    assert first.witness is not None
    assert first.witness.outcome.startswith("x: ")
    assert second.witness is not None
    assert second.witness.outcome.startswith("y: ")


def test_fields_of_a_record_of_another_name_have_witnesses_too() -> None:
    writer = record(("a", record(("x", "string"), name="Old")))
    reader = record(("a", record(("x", "int"), name="New")))
    outer, inner = with_witnesses(check(reader, writer), reader, writer)
    assert outer.witness is not None
    assert inner.witness is not None
    assert "another name" in outer.witness.outcome
    assert inner.witness.outcome == "a.x: string cannot be read as int (at byte 0)"


def test_the_cause_inside_a_union_has_its_witness() -> None:
    writer = record(("pay", ["null", record(("amount", "long"), name="Pay")]))
    reader = record(("pay", ["null", record(("amount", "int"), name="Pay")]))
    (finding,) = with_witnesses(check(reader, writer), reader, writer)
    assert finding.witness is not None
    assert finding.causes[0].witness == finding.witness
    assert finding.witness.outcome == "pay.amount: long cannot be read as int (at byte 1)"


def test_a_branch_that_is_chosen_is_named_unless_null_is_the_only_other() -> None:
    writer = record(("a", ["null", "string"]), ("b", ["int", "string"]))
    found = witness(record(("b", "int")), writer)
    assert found is not None
    assert json.loads(found.datum) == {"a": None, "b": {"string": ""}}


def test_the_outermost_names_of_a_view_need_not_match() -> None:
    writer, view = record(("x", "int"), name="a.Ticket"), record(("x", "int"), name="View")
    assert witness(view, writer) is not None
    assert witness(view, writer, as_view=True) is None


def test_at_another_place_there_is_none() -> None:
    writer, reader = record(("a", "int"), ("b", "string")), record(("a", "int"), ("b", "int"))
    assert witness(reader, writer, "a") is None
    assert witness(reader, writer, "nowhere") is None
    found = witness(reader, writer, "b")
    assert found is not None
    assert witness(reader, writer) == found


CLEAN: list[tuple[Any, Any]] = [
    ("int", "long"),
    (UUID, "string"),
    (decimal(9, 2), decimal(11, 4)),
    (record(("x", "int")), record()),
    (enum("AB"), enum("ABC", default="A")),
    (["int", "null"], ["null", "long"]),
]


@pytest.mark.parametrize(("writer", "reader"), CLEAN)
def test_a_clean_pair_has_none(writer: Any, reader: Any) -> None:
    assert witness(reader, writer) is None
    assert with_witnesses((), reader, writer) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.severity is Severity.ERROR], ids=lambda rule: rule.id)
def test_the_example_of_each_error_has_a_witness(rule: Any) -> None:
    (finding,) = with_witnesses(
        check(rule.example.reader, rule.example.writer), rule.example.reader, rule.example.writer
    )
    assert finding.witness is not None


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(SchemaError):
        witness("Nowhere.avsc", "int")


def test_types_that_have_too_much_around_them_are_given_up_soon() -> None:
    inner = record(*[(f"f{n}", fixed(60_000, f"F{n}")) for n in range(3)], ("x", "string"), name="I")
    writer = record(("i", inner))
    reader = json.loads(json.dumps(writer).replace('"string"', '"int"'))
    (finding,) = with_witnesses(check(reader, writer), reader, writer)
    assert finding.witness is None


def test_the_search_is_bounded() -> None:
    def doubling(leaf: str) -> Any:
        fields: list[Any] = [("t0", record(("x", leaf), name="T0"))]
        fields += [
            (f"t{n}", record(("a", ["null", f"T{n - 1}"]), ("b", f"T{n - 1}"), name=f"T{n}")) for n in range(1, 12)
        ]
        return record(*fields)

    began = process_time()
    assert witness(doubling("int"), doubling("string")) is not None
    assert witness(doubling("int"), doubling("string"), "t11.b.b.b.b.b.b.b.b.b.b.b.x") is not None
    assert process_time() - began < 3


# -- laws


def fails_or_differs(finding: Finding, found: Witness, writer: Any, read: Decoder | None) -> bool:
    """Tell what a witness claims: the writer writes it; an error's is not read, any other is not read or read otherwise."""
    as_written = decoder(writer)(found.data)
    if read is None:
        return True
    try:
        as_read = read(found.data)
    except (DecodeError, ResolutionError, LimitError):
        return True
    return finding.severity is not Severity.ERROR and repr(as_read) != repr(as_written)


def test_every_error_has_a_witness_and_every_witness_is_one(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        findings = check(reader, writer)
        assume(findings)
        try:
            read = decoder(writer, reader)
        except ResolutionError:
            read = None
        for finding in with_witnesses(findings, reader, writer):
            assert finding.severity is not Severity.ERROR or finding.witness is not None
            for each in (finding, *finding.leaves()):
                assert each.witness is None or fails_or_differs(each, each.witness, writer, read)

    law()


def test_no_pair_without_a_finding_has_a_witness(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=250)
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        findings = check(reader, writer)
        found = witness(reader, writer)
        assert findings or found is None
        if any(each.severity is Severity.ERROR for each in findings):
            assert found is not None

    law()


def test_a_witness_is_no_larger_than_what_any_finding_has(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much])
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        errors = [each for each in check(reader, writer) if each.severity is Severity.ERROR]
        assume(errors)
        found = witness(reader, writer)
        assert found is not None
        sizes = [len(each.witness.data) for each in with_witnesses(errors, reader, writer) if each.witness is not None]
        assert len(found.data) <= min(sizes) + 4  # values count too: an empty list is as large as a null

    law()


def test_sources_serve_as_well_as_documents() -> None:
    writer, reader = read_source(record(("x", "string"))), read_source(record(("x", "int")))
    assert witness(reader, writer) == witness(reader.document, writer.document)
