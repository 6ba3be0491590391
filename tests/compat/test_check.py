"""What `check` finds, where, and why: against the labelled vectors, the decoder and the exact fixpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stamp.compat import Finding, Severity, Source, check, source
from stamp.compat.rules import ENFORCED, STRUCTURAL
from stamp.errors import DecodeError, ResolutionError, SchemaError
from stamp.schema.decoder import decoder
from stamp.schema.lint import problems
from stamp.schema.resolve import Readability
from stamp.schema.types import Type, load

VECTORS = Path(__file__).parents[1] / "vectors" / "avro-resolution-cases.jsonl"


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    listed = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": listed, **more}


def told(findings: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in findings]


def is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


# -- the vectors

DIFFERENT = {
    "field: added enum, only enum-type default (no field default)": (
        "Java compares the enum with the record around it, by mistake; what is missing is the default of the field"
    ),
}
"""Vectors where Java's verdict is ours and its reason or place is not."""

REFUSED = {
    "field: default type invalid (int default 'x')": "the schema is none; Java refuses it too",
    "enum: default not in symbols": "the schema is none; Java refuses it too",
}
"""Vectors whose schemas we do not accept."""

UNDECIDED = {"field: alias AND direct both in writer": "Java fails with an exception"}


def cases() -> Any:
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=case["name"])


@pytest.mark.parametrize("case", [*cases()])
def test_the_structural_errors_are_those_of_java(case: dict[str, Any]) -> None:
    if case["name"] in REFUSED:
        with pytest.raises(SchemaError):
            check(case["reader"], case["writer"])
        return
    findings = check(case["reader"], case["writer"])
    ours = {(each.rule, each.pointer) for each in findings if each.rule in STRUCTURAL}
    java = case["java_1_12_1"]
    theirs = {(each["type"].lower().replace("_", "-"), each["location"]) for each in java["incompatibilities"] or ()}
    assert (ours == theirs) is (case["name"] not in DIFFERENT)
    if case["name"] not in UNDECIDED:
        assert bool(ours) is (java["compat"] == "INCOMPATIBLE")


@pytest.mark.parametrize("case", [*cases()])
def test_an_error_means_that_some_datum_is_not_read(case: dict[str, Any]) -> None:
    if case["name"] in REFUSED:
        return
    findings = check(case["reader"], case["writer"])
    assert any(map(is_of_avro, findings)) is not Readability().is_readable(load(case["writer"]), load(case["reader"]))


@pytest.mark.parametrize("case", [*cases()])
def test_a_schema_of_the_vectors_reads_itself_without_a_word(case: dict[str, Any]) -> None:
    for schema in (case["reader"], case["writer"]):
        if case["name"] not in REFUSED:
            assert check(schema, schema) == ()
            assert check(unmarked(schema), unmarked(schema)) == ()


def unmarked(schema: Any) -> Source:
    """Return a source whose types have no marks, so that nothing is skipped for being equal."""
    read = Source.of(schema)
    for type_ in read.content.places:
        type_.mark = ""
    return read


# -- laws


def test_a_schema_reads_itself_without_a_word(written_schemas: st.SearchStrategy[Any]) -> None:
    @given(written_schemas)
    @settings(max_examples=150)
    def law(schema: Any) -> None:
        assert found(schema, schema) == ()
        assert check(unmarked(schema), unmarked(schema)) == ()

    law()


def test_there_is_an_error_exactly_when_the_pair_cannot_be_read_whole(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions, st.booleans())
    @settings(max_examples=250)
    def law(pair: tuple[Any, Any], backwards: bool) -> None:
        writer, reader = reversed(pair) if backwards else pair
        findings = found(reader, writer)
        assert any(map(is_of_avro, findings)) is not Readability().is_readable(load(writer), load(reader))
        by_the_letter = Readability(meaning=False).is_readable(load(writer), load(reader))
        assert any(each.rule in STRUCTURAL for each in findings) is not by_the_letter

    law()


def test_marks_change_no_verdict(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=150)
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        assert found(reader, writer) == tuple(check(unmarked(reader), unmarked(writer)))

    law()


def is_of_avro(finding: Finding) -> bool:
    """Tell whether a finding says that Avro cannot read some datum, and not that the reader's model, or its UUID, refuses a value."""
    return is_error(finding) and finding.rule not in ENFORCED


def found(reader: Any, writer: Any) -> tuple[Finding, ...]:
    try:
        return tuple(check(reader, writer))
    except SchemaError:
        assume(False)
        raise


REFUSES_SOME = {"bytes-read-as-string", "text-read-as-uuid", "logical-type-added"}
"""Warnings that say that some data may be refused."""


def test_what_has_no_error_is_decoded(
    evolutions: st.SearchStrategy[Any], random_datum: Callable[[Random, Type], bytes]
) -> None:
    @given(evolutions, st.randoms(use_true_random=False))
    @settings(max_examples=200)
    def law(pair: tuple[Any, Any], random: Random) -> None:
        writer, reader = pair
        findings = found(reader, writer)
        assume(not any(map(is_error, findings)))
        assume(not problems(writer, recursion=True))  # such as an array of items without bytes: legal, and not decoded
        read, written = decoder(writer, reader), load(writer)
        for _ in range(5):
            data = random_datum(random, written)
            assert decoder(writer)(data) is not Ellipsis
            try:
                read(data)
            except (ResolutionError, DecodeError):
                assert REFUSES_SOME & {each.rule for each in findings}

    law()


# -- recursion


def unsound_example() -> tuple[Any, Any]:
    def root(v: str, *others: Any) -> Any:
        inner = record(("l", "L"), name="A")
        first = record(("a", ["null", inner]), ("v", v), name="L")
        return record(("f1", [first, *others] if others else first), ("f2", "A"), name="Root")

    return root("string"), root("int", record(("v", "string"), name="X", aliases=["L"]))


def test_the_example_that_other_checkers_accept_has_an_error_and_cannot_be_decoded() -> None:
    writer, reader = unsound_example()
    findings = check(reader, writer)
    assert told(findings) == [("type-mismatch", "f2.l.v")]
    data = b"\0" + b"\2x" + b"\0" + b"\2y"  # f1: {a: null, v: "x"}, f2: {l: {a: null, v: "y"}}
    assert decoder(writer)(data) == {"f1": {"a": None, "v": "x"}, "f2": {"l": {"a": None, "v": "y"}}}
    with pytest.raises(ResolutionError, match=r"f2\.l\.v: string cannot be read as int"):
        decoder(writer, reader)(data)


def test_a_recursive_type_has_its_error_once() -> None:
    def chain(head: str) -> Any:
        return record(("head", head), ("tail", ["null", "List"]), name="List")

    assert told(check(chain("int"), chain("long"))) == [("type-mismatch", "head")]


def test_recursion_through_each_other_ends() -> None:
    def ring(last: str) -> Any:
        inner = record(("back", ["null", "A"]), ("more", {"type": "array", "items": "B"}), ("x", last), name="B")
        return record(("b", inner), ("other", ["null", "A"]), name="A")

    assert told(check(ring("int"), ring("string"))) == [("type-mismatch", "b.x")]


def test_types_that_share_types_are_told_in_bounds() -> None:
    def doubling(leaf: str) -> Any:
        fields: list[Any] = [("t0", record(("x", leaf), name="T0"))]
        fields += [(f"t{n}", record(("a", f"T{n - 1}"), ("b", f"T{n - 1}"), name=f"T{n}")) for n in range(1, 30)]
        return record(*fields)

    findings = check(doubling("int"), doubling("string"))
    assert told(findings)[:3] == [("type-mismatch", "t0.x"), ("type-mismatch", "t1.a.x"), ("type-mismatch", "t1.b.x")]
    assert len(findings) < 3000


def test_a_deep_chain_of_references_needs_no_deep_stack() -> None:
    def chain(leaf: str) -> Any:
        branches: list[Any] = [record(("x", leaf), name="T0")]
        branches += [record(("x", ["null", f"T{n - 1}"]), name=f"T{n}") for n in range(1, 400)]
        return branches

    findings = check(chain("int"), chain("string"))
    paths = {leaf.path for finding in findings for leaf in finding.leaves()}
    assert {"x", "x.x", "x.x.x"} < paths


# -- paths, pointers and causes


def test_the_cause_inside_a_union_is_told() -> None:
    def env(amount: str) -> Any:
        return record(("id", "string"), ("pay", ["null", record(("amt", amount), name="Pay")]), name="Env")

    (finding,) = check(env("string"), env("int"))
    (cause,) = finding.causes
    assert (finding.rule, finding.path, finding.pointer) == ("missing-union-branch", "pay", "/fields/1/type/1")
    assert (cause.rule, cause.path, cause.pointer) == ("type-mismatch", "pay.amt", "/fields/1/type/1/fields/0/type")
    assert list(finding.leaves()) == [cause]


def test_the_cause_is_told_through_arrays_and_maps_too() -> None:
    def orders(price: str) -> Any:
        item = record(("price", price), name="Item")
        lists = {"type": "map", "values": ["null", {"type": "array", "items": ["null", item]}]}
        return record(("orders", lists))

    (finding,) = check(orders("int"), orders("string"))
    assert (finding.rule, finding.path) == ("missing-union-branch", "orders{}")
    (inner,) = finding.causes
    assert (inner.rule, inner.path) == ("missing-union-branch", "orders{}[]")
    (leaf,) = inner.causes
    assert (leaf.rule, leaf.path) == ("type-mismatch", "orders{}[].price")


PLACES: list[tuple[Any, Any, list[tuple[str, str, str]]]] = [
    ("string", "int", [("type-mismatch", "", "/")]),
    (
        record(("items", {"type": "array", "items": record(("price", "int"), name="I")})),
        record(("items", {"type": "array", "items": record(("price", "string"), name="I")})),
        [("type-mismatch", "items[].price", "/fields/0/type/items/fields/0/type")],
    ),
    ({"type": "map", "values": "int"}, {"type": "map", "values": "string"}, [("type-mismatch", "{}", "/values")]),
    (
        record(("a", record(("k", "int"), name="N")), ("b", "N")),
        record(("a", record(("k", "string"), name="N")), ("b", "N")),
        [
            ("type-mismatch", "a.k", "/fields/0/type/fields/0/type"),
            ("type-mismatch", "b.k", "/fields/1/type/fields/0/type"),
        ],
    ),
    (
        record(("kept", "int"), ("added", "int")),
        record(("kept", "int")),
        [("reader-field-missing-default-value", "added", "/fields/1")],
    ),
    (record(("x", "int")), record(("x", ["null", "int"])), [("type-mismatch", "x", "/fields/0/type/0")]),
    (
        ["null", "int"],
        ["int", "string", "boolean"],
        [("missing-union-branch", "", "/1"), ("missing-union-branch", "", "/2")],
    ),
    (
        {"type": "fixed", "name": "F", "size": 2},
        {"type": "fixed", "name": "G", "size": 4},
        [("name-mismatch", "", "/name"), ("fixed-size-mismatch", "", "/size")],
    ),
    (
        record({"name": "new", "type": "int", "aliases": ["old"]}),
        record(("old", "string")),
        [("type-mismatch", "new", "/fields/0/type")],
    ),
]


@pytest.mark.parametrize(("reader", "writer", "expected"), PLACES)
def test_each_finding_has_its_path_and_pointer(reader: Any, writer: Any, expected: Any) -> None:
    assert [(each.rule, each.path, each.pointer) for each in check(reader, writer)] == expected


def test_null_from_a_field_that_became_optional_is_told_as_that() -> None:
    (finding,) = check(record(("x", "int")), record(("x", ["null", "int"])))
    assert finding.message == (
        "expected int, got null, which the writer's type allows: union [null, int]; "
        "give the reader's type a null branch, or keep the field required in the writer"
    )


def test_a_branch_of_another_name_is_the_cause_and_its_fields_are_not() -> None:
    writer = ["null", record(("number", "string"), name="Card")]
    reader = ["null", record(("due", "long"), ("sum", "long"), name="Invoice")]
    (finding,) = check(reader, writer)
    assert told(finding.causes) == [("name-mismatch", "")]


def test_a_branch_that_only_means_something_else_is_not_missing() -> None:
    def price(scale: int) -> Any:
        return record(("p", ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale}]))

    assert told(check(price(4), price(2))) == [("decimal-narrowed", "p")]


def test_warnings_inside_a_branch_that_is_not_read_stand_by_themselves() -> None:
    writer = record(("u", ["null", record(("a", "long"), ("b", "long"), name="N")]))
    reader = record(("u", ["null", record(("a", "double"), ("b", "int"), name="N")]))
    findings = check(reader, writer)
    assert told(findings) == [("missing-union-branch", "u"), ("lossy-promotion", "u.a")]
    assert told(findings[0].causes) == [("type-mismatch", "u.b")]


# -- fragments


WRITER_TEXT = """{
  "type": "record", "name": "Order",
  "fields": [
    {"name": "id", "type": "string"},
    {"name": "pay", "type": {"type": "record", "name": "Pay", "fields": [
      {"name": "amt",
       "type": "int"}
    ]}},
    {"name": "refund", "type": "Pay"}
  ]
}"""
READER_TEXT = WRITER_TEXT.replace('"int"', '"string"')


def test_fragments_of_files_have_file_line_and_column(tmp_path: Path) -> None:
    old, new = tmp_path / "old.avsc", tmp_path / "new.avsc"
    old.write_text(WRITER_TEXT)
    new.write_text(READER_TEXT)
    first, second = check(new, str(old))
    for finding in (first, second):  # the second is a reference: its type stands where it is defined
        assert finding.reader is not None
        assert finding.writer is not None
        assert (finding.reader.text, finding.reader.file) == ('"string"', str(new))
        assert (finding.reader.line, finding.reader.column) == (7, 16)
        assert (finding.writer.text, finding.writer.file, finding.writer.line) == ('"int"', str(old), 7)
        assert finding.reader.pointer == "/fields/1/type/fields/0/type"
    assert second.pointer == "/fields/2/type/fields/0/type"


def test_fragments_of_text_have_lines_and_those_of_values_have_none() -> None:
    (first, *_) = check(READER_TEXT, json.loads(WRITER_TEXT))
    assert first.reader is not None
    assert first.writer is not None
    assert (first.reader.file, first.reader.line) == (None, 7)
    assert (first.writer.text, first.writer.line, first.writer.column) == ('"int"', None, None)


def test_a_missing_field_shows_the_field_and_the_record_that_lacks_it() -> None:
    (finding,) = check(record(("x", "int")), record(name="R"))
    assert finding.reader is not None
    assert finding.writer is not None
    assert finding.reader.text == '{"name": "x", "type": "int"}'
    assert finding.writer.text == '{"type": "record", "name": "R", "fields": []}'


# -- views


def test_the_outermost_names_of_a_view_need_not_match() -> None:
    written, view = record(("x", "int"), name="a.Ticket"), record(("x", "int"), name="TicketView")
    assert told(check(view, written)) == [("name-mismatch", "")]
    assert check(view, written, as_view=True) == ()
    assert told(check(view, written)) == [("name-mismatch", "")]


def test_names_inside_a_view_must_match() -> None:
    def ticket(outer: str, inner: str) -> Any:
        return record(("n", record(("x", "int"), name=inner)), name=outer)

    assert told(check(ticket("V", "M"), ticket("W", "N"), as_view=True)) == [("name-mismatch", "n")]


def test_a_view_has_the_verdict_of_its_decoder() -> None:
    def tree(name: str, leaf: str) -> Any:
        return record(("next", ["null", name]), ("leaf", leaf), name=name)

    assert check(tree("V", "long"), tree("W", "int"), as_view=True) == ()
    data = b"\2\0\2\4"
    assert decoder(tree("W", "int"), tree("V", "long"), as_root=True)(data) == {
        "next": {"next": None, "leaf": 1},
        "leaf": 2,
    }


# -- what is no schema

BAD: list[tuple[Any, str]] = [
    ({"type": "record", "name": "R"}, "fields"),
    ({"type": "record", "name": "R", "fields": [{"name": "x", "type": "Nowhere"}]}, "Nowhere"),
    ('{"type": "int", "type": "long"}', "twice"),
    ("{", "expected JSON"),
    ("no-such-file.avsc", "no-such-file"),
    ({"type": "enum", "name": "E", "symbols": {1, 2}}, "expected"),
    (7, "expected a schema"),
    (b"\xff", "expected UTF-8"),
]


@pytest.mark.parametrize(("schema", "text"), BAD)
def test_what_is_no_schema_is_refused(schema: Any, text: str) -> None:
    with pytest.raises(SchemaError, match=text):
        check(schema, "int")
    with pytest.raises(SchemaError, match=text):
        check("int", schema)


def test_a_file_that_is_no_schema_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.avsc"
    file.write_text('{"type": "record",\n "name": }')
    with pytest.raises(SchemaError, match=r"bad\.avsc:2: expected JSON"):
        check(file, "int")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "bom.avsc"
    file.write_bytes(b"\xef\xbb\xbf" + READER_TEXT.encode())
    assert check(file, READER_TEXT) == ()
    (finding,) = check("string", file)
    assert finding.writer is not None
    assert (finding.writer.line, finding.writer.column) == (1, 1)


def test_what_is_legal_since_avro_1_12_is_accepted() -> None:
    reader = record({"name": "y", "type": ["null", "int"], "default": 5})
    assert check(reader, record()) == ()


def test_a_default_of_no_branch_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"R\.y: expected a default that fits"):
        check(record({"name": "y", "type": ["null", "int"], "default": "text"}), record())


def test_schemas_in_all_forms_are_one(tmp_path: Path) -> None:
    file = tmp_path / "r.avsc"
    file.write_text(READER_TEXT)
    forms = [
        READER_TEXT,
        READER_TEXT.encode(),
        json.loads(READER_TEXT),
        file,
        str(file),
        source.read_source(READER_TEXT),
    ]
    for form in forms:
        assert check(form, READER_TEXT) == ()
        assert told(check(form, WRITER_TEXT)) == [("type-mismatch", "pay.amt"), ("type-mismatch", "refund.amt")]


def test_a_value_that_changes_between_two_checks_is_read_anew() -> None:
    reader = record(("x", "int"))
    assert check(reader, record(("x", "int"))) == ()
    reader["fields"][0]["type"] = "string"
    assert told(check(reader, record(("x", "int")))) == [("type-mismatch", "x")]
