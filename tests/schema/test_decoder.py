"""Decoding: round trips against two other implementations, resolution against the labelled vectors, and hostile bytes."""

from __future__ import annotations

import contextlib
import io
import json
import math
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp.errors import DecodeError, LimitError, ResolutionError, SchemaError, WireError
from stamp.schema.decoder import decoder, decoder_of
from stamp.schema.lint import lint
from stamp.schema.varint import zigzag

VECTORS = Path(__file__).parents[1] / "vectors" / "avro-resolution-cases.jsonl"


def encoded(schema: Any, datum: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), datum)
    return out.getvalue()


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    listed = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": listed, **more}


# -- law: what fastavro writes, we read

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "string": st.text(),
    "bytes": st.binary(),
}


@st.composite
def schema_and_data(draw: st.DrawFn, depth: int = 3, name: str = "T") -> tuple[Any, st.SearchStrategy[Any]]:
    kind = draw(
        st.sampled_from(
            [*PRIMITIVES, "enum", "fixed", "array", "map", "optional", "record"] if depth else [*PRIMITIVES]
        )
    )
    if kind in PRIMITIVES:
        return kind, PRIMITIVES[kind]
    if kind == "enum":
        return {"type": "enum", "name": name, "symbols": ["A", "B", "C"]}, st.sampled_from("ABC")
    if kind == "fixed":
        size = draw(st.integers(1, 20))
        return {"type": "fixed", "name": name, "size": size}, st.binary(min_size=size, max_size=size)
    if kind == "record":
        parts = [draw(schema_and_data(depth - 1, f"{name}{n}")) for n in range(draw(st.integers(1, 4)))]
        schema = record(*((f"f{n}", part[0]) for n, part in enumerate(parts)), name=name)
        return schema, st.fixed_dictionaries({f"f{n}": part[1] for n, part in enumerate(parts)})
    item, data = draw(schema_and_data(depth - 1, name + "i"))
    if kind == "array":
        return {"type": "array", "items": item}, st.lists(data, max_size=5)
    if kind == "map":
        return {"type": "map", "values": item}, st.dictionaries(st.text(), data, max_size=5)
    if isinstance(item, list):
        return item, data
    return ["null", item], st.none() | data


@given(schema_and_data(), st.data())
@settings(max_examples=150, deadline=None)
def test_reads_what_fastavro_writes(typed: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    schema, values = typed
    datum = data.draw(values)
    assert decoder(schema)(encoded(schema, datum)) == datum


@given(schema_and_data(), st.data())
@settings(max_examples=100, deadline=None)
def test_any_other_bytes_are_refused_with_a_wire_error(
    typed: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject
) -> None:
    schema, values = typed
    good = bytearray(encoded(schema, data.draw(values)))
    for _ in range(10):
        at = data.draw(st.integers(0, len(good)))
        good[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(WireError):
        decoder(schema)(bytes(good))


@given(schema_and_data(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_reader_without_a_field_skips_exactly_what_the_writer_wrote(
    typed: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject
) -> None:
    schema, values = typed
    datum = data.draw(values)
    written = record(("skipped", schema), ("kept", "long"))
    body = encoded(written, {"skipped": datum, "kept": 7})
    assert decoder(written, record(("kept", "long")))(body) == {"kept": 7}


LOGICAL: list[tuple[Any, Any]] = [
    ({"type": "int", "logicalType": "date"}, date(1969, 2, 3)),
    ({"type": "int", "logicalType": "time-millis"}, time(23, 59, 59, 999000)),
    ({"type": "long", "logicalType": "time-micros"}, time(1, 2, 3, 456789)),
    ({"type": "long", "logicalType": "timestamp-millis"}, datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)),
    ({"type": "long", "logicalType": "timestamp-micros"}, datetime(1, 1, 1, tzinfo=UTC)),
    ({"type": "long", "logicalType": "timestamp-micros"}, datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, datetime(2026, 1, 2, 3, 4, 5, 6)),
    ({"type": "string", "logicalType": "uuid"}, UUID(int=5)),
    ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("-1234567.89")),
    ({"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 0}, Decimal(10) ** 39),
    (
        {"type": "fixed", "name": "F", "size": 5, "logicalType": "decimal", "precision": 9, "scale": 3},
        Decimal("-0.001"),
    ),
    *(
        (
            {"type": "fixed", "name": "F", "size": 16, "logicalType": "decimal", "precision": 9, "scale": 2},
            Decimal(value),
        )
        for value in ("0.00", "-0.01", "9999999.99", "-9999999.99")
    ),
]


@pytest.mark.parametrize(("schema", "value"), LOGICAL)
def test_logical_types_are_python_values(schema: Any, value: Any) -> None:
    assert decoder(schema)(encoded(schema, value)) == value


def test_a_duration_in_microseconds_is_a_timedelta() -> None:
    assert decoder({"type": "long", "logicalType": "timedelta-micros"})(zigzag(-1_500_000)) == timedelta(seconds=-1.5)


# -- resolution against the vectors

EXCEPTIONS = {
    "bytes(non-utf8)->string": "Java replaces bytes that are no text; a value that nobody wrote must not appear",
    "union: record A -> [B same shape] (Java structural match)": "no branch has the name: Java matches by shape against the spec",
    "union: array<int> -> [null, array<string>]": "the empty array has a reading, as Java says; fastavro refuses it unread",
    "union: rec A -> [A(bad field), A2 alias A] first name wins": "the alias branch can be read, as Java says",
    "name: record A -> B": "spec: names must match; Java's decoder does not look",
    "name: nested record A -> B": "spec: names must match; Java's decoder does not look",
    "name: n1.A -> n2.B alias 'A' (spec: n2.A, no match)": "spec: an alias is relative to its namespace; both decoders ignore that",
    "name: case differs Foo->foo": "spec: names must match; Java's decoder does not look",
    "kind: fixed E -> enum E": "fastavro compares names without kinds and gives bytes for an enum",
    "field: alias AND direct both in writer": "the name itself comes before an alias; Java fails, fastavro takes the alias",
    "field: swap via aliases": "aliases rename the writer's fields, as Java says; fastavro fails",
    "field: two reader fields alias the same writer field": "both get the value; Java and fastavro give one of them the default",
    "array int->string nonempty+empty": "the empty array has a reading, as Java says; fastavro refuses it unread",
    "map int->string empty": "the empty map has a reading, as Java says; fastavro refuses it unread",
    "logical: decimal scale 2->4": "1.25 as decimal(9, 4) needs a digit more than decimal(9, 2) guarantees; Java gives 0.0125",
    "logical: decimal precision 9->4": "a decimal of 9 digits does not fit 4",
    "logical: date(int) -> ts-millis(long)": "a number of days is no number of milliseconds",
    "logical: string -> decimal bytes (via promotion)": "the digits of a text are no binary number; both others read 'ab' as 249.30",
    "logical: string -> uuid": "what is no UUID cannot be read as one",
    "field: default type invalid (int default 'x')": "refused: the default does not fit",
    "enum: default not in symbols": "refused by the lint, before a decoder sees it",
    "field: added float default NaN-string": "a default of 1 is the double 1.0",
    "infinite record (no base)": "no datum exists",
}
"""Vectors where Java's and fastavro's decoders do not both agree with us, and why."""


def vectors() -> Iterator[Any]:
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=case["name"])


@pytest.mark.parametrize("case", [*vectors()])
def test_resolution_agrees_with_other_decoders(case: dict[str, Any]) -> None:
    java = [text.startswith("ok:") for text in (case["java_1_12_1"] or {}).get("decoded") or []]
    theirs = [text.startswith("ok:") for text in case["fastavro_1_13_1"] or []]
    ours = [is_readable(case, bytes.fromhex(data)) for data in case["data_hex"] or []]
    agree = ours == java == theirs
    assert agree or case["name"] in EXCEPTIONS, (ours, java, theirs)


def is_readable(case: dict[str, Any], data: bytes) -> bool:
    try:
        decoder(case["writer"], case["reader"])(data)
    except (SchemaError, DecodeError):
        return False
    return True


@pytest.mark.parametrize("case", [*vectors()])
def test_readable_data_have_the_value_that_fastavro_gives(case: dict[str, Any]) -> None:
    for data, told in zip(case["data_hex"] or [], case["fastavro_1_13_1"] or [], strict=False):
        if told.startswith("ok:") and case["name"] not in EXCEPTIONS | VALUES:
            assert told == f"ok:{decoder(case['writer'], case['reader'])(bytes.fromhex(data))!r}"


VALUES = {
    "union: int -> [float,int] (spec first match=float; Java exact=int)": "an int stays an int where the reader has one, as in Java",
    "long 2^24+1->float": "nothing is gained by rounding to 32 bits",
    "field: reorder": "the reader's order, as in Java",
    "field: added bytes default": "fastavro gives the text of the schema",
    "field: added record default {}": "fastavro gives an empty dict",
    "field: added timestamp default": "fastavro gives an int",
    "field: added decimal default": "fastavro gives the text of the schema",
    "logical: decimal -> plain bytes": "the reader asks for bytes; fastavro gives the writer's Decimal",
    "logical: bytes -> decimal": "the reader asks for a decimal",
    "logical: string -> decimal bytes (via promotion)": "the reader asks for a decimal",
    "logical: long -> ts-millis": "the reader asks for a timestamp",
    "logical: ts-millis -> long": "the reader asks for a number",
    "logical: date(int) -> double": "the reader asks for a number",
    "logical: uuid -> string": "the reader asks for text",
    "logical: uuid(string) -> bytes": "the reader asks for bytes",
    "logical: ts-millis -> ts-micros": "the same instant",
    "logical: time-millis(int) -> time-micros(long)": "the same time",
    "logical in union: [null, ts-millis] -> [null, long]": "the reader asks for a number",
}
"""Vectors where fastavro gives another value, and why ours is right."""


# -- resolution, values

N = record(("k", "int"), name="N")
CASES: list[tuple[str, Any, Any, Any, Any]] = [
    ("float is exact as double", "float", "double", 1.5, 1.5),
    ("millis as micros", LOGICAL[3][0], LOGICAL[4][0], LOGICAL[3][1], LOGICAL[3][1]),
    ("plain long as timestamp", "long", LOGICAL[4][0], 1, datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)),
    (
        "a decimal with more digits on both sides",
        {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 4},
        Decimal("12.34"),
        Decimal("12.3400"),
    ),
    ("branch of the own kind before promotion", "int", ["double", "null", "int"], 5, 5),
    ("first promotion otherwise", "int", ["string", "double", "long"], 5, 5.0),
    (
        "two fields of one alias",
        record(("x", "int")),
        record({"name": "a", "type": "int", "aliases": ["x"]}, {"name": "b", "type": "long", "aliases": ["x"]}),
        {"x": 5},
        {"a": 5, "b": 5},
    ),
    (
        "swapped by aliases",
        record(("x", "int"), ("y", "string")),
        record({"name": "y", "type": "int", "aliases": ["x"]}, {"name": "x", "type": "string", "aliases": ["y"]}),
        {"x": 5, "y": "q"},
        {"y": 5, "x": "q"},
    ),
    (
        "the writer's default is not the reader's",
        record({"name": "x", "type": "int", "default": 1}),
        record(("x", "int")),
        {"x": 2},
        {"x": 2},
    ),
    (
        "nested record default is completed",
        record(("x", "int")),
        record(
            ("x", "int"),
            {"name": "n", "type": record({"name": "k", "type": "int", "default": 3}, name="N"), "default": {}},
        ),
        {"x": 1},
        {"x": 1, "n": {"k": 3}},
    ),
    (
        "recursive",
        record(("head", "int"), ("tail", ["null", "L"]), name="L"),
        record(("head", "long"), ("tail", ["null", "L"]), name="L"),
        {"head": 1, "tail": {"head": 2, "tail": None}},
        {"head": 1, "tail": {"head": 2, "tail": None}},
    ),
]


@pytest.mark.parametrize(
    ("writer", "reader", "datum", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_resolution_gives_the_readers_value(writer: Any, reader: Any, datum: Any, expected: Any) -> None:
    read = decoder(writer, reader)(encoded(writer, datum))
    assert read == expected
    assert type(read) is type(expected)


DEFAULTS: list[tuple[Any, Any, Any]] = [
    ("bytes", "\u00ff", b"\xff"),
    ({"type": "fixed", "name": "F", "size": 2}, "\u0000\u0001", b"\0\1"),
    ("double", 1, 1.0),
    (["null", "long"], None, None),
    (["long", "null"], 7, 7),
    ({"type": "int", "logicalType": "date"}, 1, date(1970, 1, 2)),
    ({"type": "long", "logicalType": "timestamp-micros"}, -1, datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "\u0096", Decimal("-1.06")),
    ({"type": "string", "logicalType": "uuid"}, str(UUID(int=1)), UUID(int=1)),
    ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
    ({"type": "array", "items": "long"}, [1, -2], [1, -2]),
    ({"type": "map", "values": ["null", "string"]}, {"k": None}, {"k": None}),
    (record(("k", "int"), {"name": "l", "type": "string", "default": "é"}, name="N"), {"k": 1}, {"k": 1, "l": "é"}),
]


@pytest.mark.parametrize(("type_", "default", "value"), DEFAULTS)
def test_defaults_of_every_type_become_values(type_: Any, default: Any, value: Any) -> None:
    read = decoder(record(name="W"), record({"name": "x", "type": type_, "default": default}, name="W"))(b"")
    assert read == {"x": value}


@pytest.mark.parametrize(
    ("type_", "default"), [({"type": "array", "items": "long"}, [1]), ({"type": "map", "values": "long"}, {})]
)
def test_a_default_list_or_dict_belongs_to_one_reader_alone(type_: Any, default: Any) -> None:
    decode = decoder(record(name="W"), record({"name": "x", "type": type_, "default": default}, name="W"))
    first, second = decode(b"")["x"], decode(b"")["x"]
    first.clear() if first else first.update(other=1)
    assert second == default == decode(b"")["x"]


def test_a_default_that_does_not_fit_is_a_schema_error() -> None:
    with pytest.raises(SchemaError, match='expected a default that fits int, got "x"'):
        decoder(record(name="W"), record({"name": "x", "type": "int", "default": "x"}, name="W"))


def test_a_reader_of_another_kind_is_refused_when_compiled() -> None:
    with pytest.raises(ResolutionError, match="string cannot be read as long"):
        decoder("string", "long")


def test_an_error_for_one_datum_says_where() -> None:
    writer = record(
        (
            "items",
            {
                "type": "array",
                "items": record(("kind", {"type": "enum", "name": "E", "symbols": ["A", "B"]}), name="I"),
            },
        )
    )
    reader = record(
        (
            "items",
            {"type": "array", "items": record(("kind", {"type": "enum", "name": "E", "symbols": ["A"]}), name="I")},
        )
    )
    read = decoder(writer, reader)
    assert read(encoded(writer, {"items": [{"kind": "A"}]})) == {"items": [{"kind": "A"}]}
    with pytest.raises(
        ResolutionError, match=r"items\[\]\.kind: B is no symbol of .*, which has no default \(at byte 3\)"
    ):
        read(encoded(writer, {"items": [{"kind": "A"}, {"kind": "B"}]}))


def test_the_example_that_unsound_checkers_accept_is_not_readable() -> None:
    from stamp.schema.resolve import Readability
    from stamp.schema.types import load

    def root(v: str, *others: Any) -> Any:
        inner = {"type": "record", "name": "A", "fields": [{"name": "l", "type": "L"}]}
        first = record(("a", ["null", inner]), ("v", v), name="L")
        return record(("f1", [first, *others] if others else first), ("f2", "A"), name="Root")

    writer = root("string")
    reader = root("int", record(("v", "string"), name="X", aliases=["L"]))
    assert not Readability().is_readable(load(writer), load(reader))
    assert Readability().is_readable(load(writer), load(writer))


# -- hostile bytes

LIST = record(("next", ["null", "List"]), name="List")
HOSTILE: list[tuple[str, Any, bytes, str]] = [
    ("count of 2^40", {"type": "array", "items": "long"}, zigzag(2**40) + b"\0", "got a count of 1099511627776"),
    (
        "count of 2^40 in a block with a size",
        {"type": "array", "items": "long"},
        zigzag(-(2**40)) + zigzag(1) + b"\0\0",
        "got a count",
    ),
    ("map count of 2^62", {"type": "map", "values": "long"}, zigzag(2**62), "got a count"),
    (
        "block size that is not true",
        {"type": "array", "items": "long"},
        b"\1\x06\2\0\0\0",
        "a block that ends at byte 5",
    ),
    ("block size past the end", {"type": "array", "items": "long"}, b"\1\x7e\2\0", "length of 0 to 2 bytes, got 63"),
    ("negative block size", {"type": "array", "items": "long"}, b"\1\1\2\0", "got -1"),
    ("enum index -1", {"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\1", "a symbol of 2, got number -1"),
    (
        "enum index past the end",
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        b"\4",
        "a symbol of 2, got number 2",
    ),
    ("union index -1", ["null", "long"], b"\1", "a branch of 2, got number -1"),
    ("union index past the end", ["null", "long"], b"\4", "a branch of 2, got number 2"),
    ("overlong varint", "long", b"\x82\x00", "shortest form"),
    ("varint of 11 bytes", "long", b"\xff" * 10 + b"\1", "at most 10 bytes"),
    ("varint past 64 bits", "long", b"\xff" * 9 + b"\2", "within 64 bits"),
    ("int past 32 bits", "int", zigzag(2**31), "int of 32 bits, got 2147483648"),
    ("boolean 2", "boolean", b"\2", "a boolean, got byte 2"),
    ("trailing byte", "long", b"\2\0", "the end after 1 bytes, got 1 more"),
    ("negative length", "bytes", b"\1", "length of 0 to 0 bytes, got -1"),
    ("length past the end", "string", b"\x0aabc", "length of 0 to 3 bytes, got 5"),
    ("length of 2^62", "bytes", zigzag(2**62), "got 4611686018427387904"),
    ("not UTF-8", "string", b"\4\xff\xfe", "expected UTF-8"),
    ("half a surrogate pair", "string", b"\6\xed\xa0\x80", "expected UTF-8"),
    ("duplicate key", {"type": "map", "values": "long"}, b"\4\2a\2\2a\4\0", "distinct keys, got 'a' twice"),
    ("truncated double", "double", b"\0" * 7, "ends in the middle"),
    ("truncated fixed", {"type": "fixed", "name": "F", "size": 4}, b"\0" * 3, "got 4"),
    ("nothing", "long", b"", "ends in the middle"),
    (
        "decimal past its precision",
        LOGICAL[8][0],
        b"\x08" + (10**9).to_bytes(4, "big"),
        "at most 9 digits, got 1000000000",
    ),
    (
        "fixed decimal past its precision",
        LOGICAL[-1][0],
        (10**9).to_bytes(16, "big"),
        "at most 9 digits, got 1000000000",
    ),
    ("fixed decimal far past it", LOGICAL[-1][0], b"\1" + bytes(15), "at most 9 digits, got 16 bytes that hold more"),
    ("fixed decimal with half a sign", LOGICAL[-1][0], b"\xff" * 8 + bytes(8), "got 16 bytes that hold more"),
    ("decimal of a megabyte", LOGICAL[8][0], zigzag(10**6) + b"\x7f" * 10**6, "at most 9 digits, got 1000000 bytes"),
    ("time past midnight", LOGICAL[2][0], zigzag(86_400_000_000), "a time of day"),
    ("timestamp past year 9999", LOGICAL[4][0], zigzag(2**62), "date value out of range"),
    ("date past year 9999", LOGICAL[0][0], zigzag(2**30), ""),
    ("uuid that is none", LOGICAL[7][0], b"\x48" + b"x" * 36, "UUID"),
    ("uuid that only Python takes", LOGICAL[7][0], b"\x48" + b"urn:" + b"0" * 32, "UUID"),
]


@pytest.mark.parametrize(("schema", "data", "text"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_bytes_are_refused_with_a_decode_error(schema: Any, data: bytes, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(schema)(data)
    assert text in str(caught.value)
    assert caught.value.offset is not None


ONLY_VALUES = {"not UTF-8", "half a surrogate pair", "duplicate key", "trailing byte"}
"""What only shows when the value is built, or when nothing follows."""

SKIPPED = [case for case in HOSTILE if case[0] not in ONLY_VALUES and "logicalType" not in str(case[1])]


@pytest.mark.parametrize(("schema", "data"), [case[1:3] for case in SKIPPED], ids=[case[0] for case in SKIPPED])
def test_hostile_bytes_are_refused_where_they_are_skipped(schema: Any, data: bytes) -> None:
    with pytest.raises(WireError):
        decoder(record(("x", schema)), record(name="R"))(data)


def test_deep_recursion_is_a_limit_error() -> None:
    with pytest.raises(LimitError, match="deeper than 32"):
        decoder(LIST)(b"\2" * 5000 + b"\0")


def test_skipped_deep_recursion_is_a_limit_error() -> None:
    with pytest.raises(LimitError, match="deeper than 32"):
        decoder(record(("x", LIST)), record(name="R"))(b"\2" * 5000 + b"\0")


def test_a_foreign_block_encoding_is_read() -> None:
    schema = {"type": "array", "items": "long"}
    assert decoder(schema)(b"\1\2\2" + b"\4\4\6" + b"\3\4\x08\x0a" + b"\0") == [1, 2, 3, 4, 5]


def test_a_float_may_be_what_json_has_no_word_for() -> None:
    assert math.isnan(decoder("double")(encoded("double", math.nan)))
    assert decoder("float")(encoded("float", -math.inf)) == -math.inf


def test_a_union_of_more_than_64_branches_is_read() -> None:
    schema = [{"type": "fixed", "name": f"F{n}", "size": 1} for n in range(70)]
    assert decoder(schema)(zigzag(69) + b"x") == b"x"
    with pytest.raises(DecodeError, match="a branch of 70, got number 70"):
        decoder(schema)(zigzag(70) + b"x")


def test_arrays_nest_as_deep_as_the_lint_lets_them() -> None:
    schema: Any = "long"
    datum: Any = 7
    for number in range(30):
        schema = {"type": "array", "items": schema} if number % 2 else {"type": "map", "values": schema}
        datum = [datum] if number % 2 else {"k": datum}
    body = encoded(schema, datum)
    assert decoder(schema)(body) == datum
    assert decoder(record(("x", schema), ("y", "long")), record(("y", "long")))(body + b"\2") == {"y": 1}


def test_a_name_in_a_schema_is_not_run() -> None:
    assert decoder({"type": "record", "name": "R\n    raise SystemExit", "fields": []})(b"") == {}


MEANINGS: list[tuple[Any, Any]] = [
    ({"type": "long", "logicalType": "timestamp-nanos"}, {"type": "long", "logicalType": "timestamp-micros"}),
    (
        {"type": "bytes", "logicalType": "big-decimal"},
        {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2},
    ),
]


@pytest.mark.parametrize(("writer", "reader"), MEANINGS)
def test_logical_types_that_have_no_python_value_are_not_taken_for_others(writer: Any, reader: Any) -> None:
    with pytest.raises(ResolutionError, match="means something else"):
        decoder(writer, reader)
    assert decoder(writer)(b"\2" if writer["type"] == "long" else b"\2\1") in {1, b"\1"}


def test_the_code_can_be_looked_at() -> None:
    source = decoder(record(("a", "long"), ("b", "string")), record(("b", "string"))).source
    assert source.startswith("def read_0(b, p, end, d):  # 'record R'\n")
    assert "return {'b': v0}, p" in source


# ---- a few bytes that stand for very many values

EMPTY = {"type": "record", "name": "Empty", "fields": [{"name": f"n{number}", "type": "null"} for number in range(900)]}
HOLLOW = {
    "type": "record",
    "name": "Hollow",
    "fields": [{"name": "b", "type": "boolean"}, {"name": "e", "type": EMPTY}],
}


def tree(depth: int) -> bytes:
    return b"\2" + tree(depth - 1) + b"\2" + tree(depth - 1) if depth else b"\0\0"


DENSE = {
    "items": ({"type": "array", "items": HOLLOW}, zigzag(30_000) + bytes(30_000) + b"\0"),
    "items of a union": ({"type": "array", "items": ["null", HOLLOW]}, zigzag(30_000) + b"\2\0" * 30_000 + b"\0"),
    "blocks": ({"type": "array", "items": HOLLOW}, (zigzag(-1) + zigzag(1) + b"\0") * 20_000 + b"\0"),
    "entries": (
        {"type": "map", "values": HOLLOW},
        zigzag(9_000) + b"".join(b"\x08%04x\0" % number for number in range(9_000)) + b"\0",
    ),
    "items without bytes": ({"type": "array", "items": "null"}, zigzag(1_000) * 20_000 + b"\0"),
    "a recursion": (
        {
            "type": "record",
            "name": "Tree",
            "fields": [
                {"name": "left", "type": ["null", "Tree"]},
                {"name": "right", "type": ["null", "Tree"]},
                {"name": "e", "type": EMPTY},
            ],
        },
        tree(12),
    ),
}


@pytest.mark.slow  # counting memory takes ten times as long as what is counted
@pytest.mark.parametrize(("schema", "data"), DENSE.values(), ids=DENSE)
def test_a_datum_of_too_many_values_takes_no_more_memory_than_a_datum_may(schema, data):
    read = decoder({"type": "record", "name": "Root", "fields": [{"name": "x", "type": schema}]})
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="at most 1000000 values"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("schema", "data"), DENSE.values(), ids=DENSE)
def test_a_datum_of_too_many_values_is_refused_before_they_are_there(schema, data):
    writer = {"type": "record", "name": "Root", "fields": [{"name": "x", "type": schema}]}
    with pytest.raises(LimitError, match="at most 1000000 values"):
        decoder(writer)(data)
    nothing = decoder(writer, {"type": "record", "name": "Root", "fields": []})
    assert nothing(data) == {}, "what nobody reads is not built"


def root(type_: Any) -> Any:
    return {"type": "record", "name": "Root", "fields": [{"name": "x", "type": type_}]}


LONGS = {"type": "array", "items": "long"}
BARE = {"type": "record", "name": "Item", "fields": [{"name": "b", "type": "boolean"}]}
WEIGHTLESS = {"type": "record", "name": "Item", "fields": []}


def filled(type_: Any, default: Any, **item: Any) -> Any:
    """Return a record with one more field, which has a default."""
    more = {"name": "more", "type": type_, "default": default}
    return {"type": "record", "name": "Item", "fields": [*(item or BARE)["fields"], more]}


INNER = {"type": "record", "name": "Inner", "fields": [{"name": "l", "type": LONGS, "default": [0] * 5_000}]}

DEFAULTS = {
    "an array": filled(LONGS, [0] * 5_000),
    "a map": filled({"type": "map", "values": "long"}, {str(number): 0 for number in range(5_000)}),
    "a branch": filled([LONGS, "null"], [0] * 5_000),
    "a later branch": filled(["null", LONGS], [0] * 5_000),
    "arrays in an array": filled({"type": "array", "items": LONGS}, [[0] * 100] * 50),
    "a default that completes another one": filled(INNER, {}),
    "records in an array": filled({"type": "array", "items": INNER}, [{}, {}]),
}


@pytest.mark.parametrize("reader", DEFAULTS.values(), ids=DEFAULTS)
def test_what_defaults_add_is_counted(reader):
    def read(count: int) -> Any:
        return decoder(root({"type": "array", "items": BARE}), root({"type": "array", "items": reader}))(
            zigzag(count) + bytes(count) + b"\0"
        )

    assert len(read(50)["x"]) == 50
    with pytest.raises(LimitError, match="at most 1000000 values"):
        read(1_000)


def test_defaults_are_counted_where_no_byte_stands_for_them():
    """A thousand records that take no bytes, each with a default of 5,000 items."""
    names = [f"f{number}" for number in range(900)]
    item = filled(LONGS, [0] * 5_000, fields=[])

    def outer(first: Any) -> Any:
        types = [first, *["Item"] * (len(names) - 1)]
        fields = [{"name": name, "type": type_} for name, type_ in zip(names, types, strict=True)]
        return {"type": "record", "name": "Outer", "fields": fields}

    with pytest.raises(LimitError, match="at most 1000000 values"):
        decoder(outer(WEIGHTLESS), outer(item))(b"")


def test_defaults_are_counted_in_a_recursion():
    def tree_of(*more: Any) -> Any:
        fields = [{"name": name, "type": ["null", "Tree"]} for name in ("left", "right")]
        return {"type": "record", "name": "Tree", "fields": [*fields, *more]}

    read = decoder(tree_of(), tree_of({"name": "more", "type": LONGS, "default": [0] * 5_000}))
    assert read(tree(3))["left"]["more"] == [0] * 5_000
    with pytest.raises(LimitError, match="at most 1000000 values"):
        read(tree(9))


def test_a_default_is_not_counted_where_the_data_have_the_field():
    item = filled(LONGS, [0] * 5_000)
    data = zigzag(1_000) + b"\0\0" * 1_000 + b"\0"
    assert decoder(root({"type": "array", "items": item}))(data)["x"] == [{"b": False, "more": []}] * 1_000


def test_a_large_datum_of_few_values_is_read():
    text = {"type": "array", "items": "string"}
    data = zigzag(1) + zigzag(3_000_000) + b"x" * 3_000_000 + b"\0"
    assert decoder(text)(data) == ["x" * 3_000_000]
    with pytest.raises(DecodeError, match="ends in the middle") as caught:
        decoder(text)(zigzag(2) + data[1:-1])
    assert caught.value.path == "[]"


# -- how much code


def unions_by_alias(fields: int, branches: int) -> tuple[Any, Any]:
    """Return a writer with one field, and a reader all of whose fields have that as their alias."""
    fixed = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(branches)]
    taken = [{"name": f"g{number}", "type": ["null", "F0"], "aliases": ["f"]} for number in range(1, fields)]
    first = {"name": "g0", "type": ["null", fixed[0]], "aliases": ["f"]}
    return record(("f", ["null", *fixed])), record(first, *taken)


def test_code_that_would_never_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(decoder_of.__globals__, "MAX_CODE", 2_000)
    assert decoder(*unions_by_alias(20, 20))(b"\2\x07")["g19"] == b"\x07"
    with pytest.raises(ResolutionError, match="at most 2000 lines") as refused:
        decoder(*unions_by_alias(60, 60))
    assert refused.value.path == "f"


@pytest.mark.slow
def test_the_largest_schemas_fit() -> None:
    """Maps take the most lines."""
    maps = [{"name": f"m{number}", "type": {"type": "map", "values": "string"}} for number in range(499)]
    parts = [(f"f{number}", {**record(*maps), "name": f"R{number}"}) for number in range(10)]
    lint(record(*parts, name="Whole"))
    assert decoder(record(*parts, name="Whole"))(bytes(4990))["f9"]["m498"] == {}
