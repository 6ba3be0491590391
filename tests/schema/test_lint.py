from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, ClassVar

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import SchemaError
from stamp.schema.decoder import decoder
from stamp.schema.identity import canonical
from stamp.schema.lint import lint, problems

VECTORS = Path(__file__).parents[1] / "vectors" / "avro-resolution-cases.jsonl"
F16 = {"type": "fixed", "name": "F", "size": 16}


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(type_: Any, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def enum(*symbols: Any, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def decimal(precision: Any = 9, scale: Any = 2, **more: Any) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale, **more}


def nested(depth: int, innermost: Any = "int") -> Any:
    return {"type": "array", "items": nested(depth - 1, innermost)} if depth else innermost


def chain(length: int, *, uses: int = 1) -> dict[str, Any]:
    """A flat record whose types each use the one before: deep, or very many, only when the references are followed."""
    links = [{"type": "record", "name": "C0", "fields": [field("int")]}]
    for number in range(1, length):
        parts = [field(f"C{number - 1}", f"x{use}") for use in range(uses)]
        links.append({"type": "record", "name": f"C{number}", "fields": parts})
    return record(*(field(link, f"f{number}") for number, link in enumerate(links)))


NODE = record(field(["null", "R"], "next", default=None), field("int", "value"))

GOOD: dict[str, Any] = {
    **{name: name for name in ("null", "boolean", "int", "long", "float", "double", "bytes", "string")},
    "object": {"type": "long"},
    "empty record": record(),
    "union": ["null", "int", "long", F16, {"type": "array", "items": "int"}, {"type": "map", "values": "null"}],
    "two records in a union": [
        {"type": "record", "name": "A", "fields": []},
        {"type": "record", "name": "B", "fields": []},
    ],
    "same short name in two namespaces": [F16, {**F16, "namespace": "a"}],
    "error": {"type": "error", "name": "E", "fields": [field("string")]},
    "reference": record(field(F16), field("F", "y"), field(["null", "F"], "z")),
    "reference in a namespace": record(field(F16), field("F", "y"), field("a.b.F", "z"), namespace="a.b"),
    "aliases": record(field("int", aliases=["y", "z"]), aliases=["Q", "a.Q"]),
    "two fields alias one": record(field("int", aliases=["z"]), field("int", "y", aliases=["z"])),
    "order": record(field("int", order="descending")),
    "unknown properties": record(field("int", unit="m", deep={"a": [1, None]}), x=[1.5]),
    "unknown logical type": {"type": "array", "items": "int", "logicalType": "set"},
    "enum with default": enum("A", "B", default="B"),
    "largest fixed": {"type": "fixed", "name": "F", "size": 65_536},
    "decimal": decimal(),
    "decimal without scale": {"type": "bytes", "logicalType": "decimal", "precision": 1},
    "largest decimal": decimal(1000, 1000),
    "decimals that just fit": [
        {**F16, **decimal(38, 0), **F16},
        {"type": "fixed", "name": "G", "size": 4, **decimal()} | {"type": "fixed"},
    ],
    "decimal in a large fixed": {**decimal(1000, 0), "type": "fixed", "name": "F", "size": 65_536},
    "uuids": [{"type": "string", "logicalType": "uuid"}, {**F16, "logicalType": "uuid"}],
    "duration": {"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"},
    "our timedelta": {"type": "long", "logicalType": "timedelta-micros"},
    "array of one-field records": {"type": "array", "items": record(field("int"))},
    "array of optional nulls": {"type": "array", "items": ["null", record()]},
    "map of nulls": {"type": "map", "values": "null"},
    "32 deep": nested(32),
    "32 deep by reference": chain(31),
    "1,000 fields": record(*(field("int", f"f{n}") for n in range(1_000))),
}

DEFAULTS: dict[str, tuple[Any, Any]] = {
    "null": ("null", None),
    "boolean": ("boolean", True),
    "smallest int": ("int", -(2**31)),
    "largest long": ("long", 2**63 - 1),
    "int as float": ("float", 1),
    "largest float": ("float", 3.4028234663852886e38),
    "int as double": ("double", 10**300),
    "string": ("string", "ÿĀ😀"),
    "bytes": ("bytes", "\x00ÿ"),
    "fixed": ({"type": "fixed", "name": "F", "size": 2}, "\x00ÿ"),
    "enum": (enum("A"), "A"),
    "array": ({"type": "array", "items": "int"}, [1, 2]),
    "map": ({"type": "map", "values": "int"}, {"a": 1}),
    "first branch": (["null", "int"], None),
    "first branch, not null": (["int", "null"], 1),
    "whole record": ({"type": "record", "name": "S", "fields": [field("int")]}, {"x": 1}),
    "record completed by defaults": ({"type": "record", "name": "S", "fields": [field("int", default=1)]}, {}),
    "decimal": (decimal(3), "\x03ç"),
    "date": ({"type": "int", "logicalType": "date"}, 2_932_896),
    "uuid": ({"type": "string", "logicalType": "uuid"}, "00000000-0000-0000-0000-000000000005"),
    "uuid in a fixed": ({**F16, "logicalType": "uuid"}, "\0" * 16),
    "time": ({"type": "int", "logicalType": "time-millis"}, 86_399_999),
    "instant": ({"type": "long", "logicalType": "timestamp-micros"}, 253_402_300_799_999_999),
    "timedelta": ({"type": "long", "logicalType": "timedelta-micros"}, -1),
    "plain long in nanoseconds": ({"type": "long", "logicalType": "timestamp-nanos"}, 2**62),
}


@pytest.mark.parametrize("schema", GOOD.values(), ids=GOOD)
def test_good_schemas_pass(schema: Any) -> None:
    lint(schema)


@pytest.mark.parametrize(("type_", "default"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults_that_fit_pass_and_can_be_read(type_: Any, default: Any) -> None:
    schema = record(field(type_, default=default))

    lint(schema)

    assert "x" in decoder(record(), schema)(b"")


@given(data=st.data())
def test_legal_schemas_pass_unchanged_and_other_libraries_take_them(data: st.DataObject, legal_schemas: Any) -> None:
    schema = data.draw(legal_schemas)
    before = copy.deepcopy(schema)

    lint(schema)

    assert schema == before
    fastavro.parse_schema(schema)


BAD: dict[str, tuple[Any, str | None, str]] = {
    # JSON types
    **{f"{value!r} as a schema": (value, None, "expected a schema") for value in (None, True, 1, 1.5)},
    "a Python set": ({1}, None, "expected JSON, got {1} of type set"),
    "a Python tuple as a union": (record(field(("null", "int"))), "/fields/0/type", "expected JSON"),
    "bytes": (record(field("int", default=b"")), "/fields/0/default", "expected JSON"),
    "a key that is no text": (record(field("int", x={1: 2})), "/fields/0/x", "keys that are text"),
    "half a surrogate pair": (record(doc="\ud800"), "/doc", "surrogate"),
    "half a surrogate pair as a key": ({"type": "int", "\ud800": 1}, None, "keys that are text"),
    "not a number": (record(field("double", default=float("nan"))), "/fields/0/default", "finite"),
    "larger than a double": ({"type": "int", "a/b~": 2**1024}, "/a~1b~0", "that a double can hold"),
    "JSON too deep": ({"type": "int", "x": nested(201)}, "/x" + "/items" * 199, "200 levels"),
    "JSON too large": (record(x=[0] * 100_000), None, "100000 JSON values"),
    "type missing": ({}, None, '"type" is the name of a type, got {}'),
    "type unhashable": ({"type": []}, None, '"type" is the name'),
    "type nested": ({"type": {"type": "int"}}, None, '"type" is the name'),
    "type unknown": ({"type": "varchar"}, None, 'got "varchar"'),
    "reference in an object": (record(field(F16), field({"type": "F"}, "y")), "R.y", "by its bare name"),
    "bare array": (record(field("array")), "R.x", 'write an object, {"type": "array", ...}'),
    "fields missing": ({"type": "record", "name": "R"}, "R", "list of up to 1000 fields, got null"),
    "fields an object": ({"type": "record", "name": "R", "fields": {}}, "R", "got {}"),
    "field a string": (record("x"), "R.fields[0]", 'legal name, got "x"'),
    "field without name": (record(field("int"), {"type": "int"}), "R.fields[1]", "legal name, got null"),
    "field without type": (record({"name": "x"}), "R.x", '"type", got none'),
    "items missing": (record(field({"type": "array"})), "R.x", '"items"'),
    "values missing": (record(field({"type": "map"})), "R.x", '"values"'),
    "symbols missing": ({"type": "enum", "name": "E"}, "E", "symbols, got null"),
    "symbols unhashable": (enum(["A"], {}), "E", 'legal names, got ["A"]'),
    "size missing": ({"type": "fixed", "name": "F"}, "F", "got null"),
    "size a bool": ({"type": "fixed", "name": "F", "size": True}, "F", "got true"),
    "size a float": ({"type": "fixed", "name": "F", "size": 1.0}, "F", "got 1.0"),
    "doc a number": (record(field("int", doc=1)), "R.x", "doc that is a string"),
    "aliases a string": (record(aliases="Q"), "R", "aliases"),
    "aliases unhashable": (record(field("int", aliases=[[]])), "R.x", "aliases"),
    "order unknown": (record(field("int", order=["up"])), "R.x", "order"),
    # names
    **{
        f"name {name!r}": ({"type": "record", "name": name, "fields": []}, None, "legal name")
        for name in ("", "1a", "a-b", "a.", ".a", "a..b", "é", "a b", "a\n", None, 1, [])
    },
    **{
        f"namespace {space!r}": (record(namespace=space), None, "legal namespace")
        for space in ("1", "a.", ".", None, 1)
    },
    "named int": ({"type": "fixed", "name": "int", "size": 1}, "int", "no primitive type has"),
    "named int in a namespace": ({"type": "fixed", "name": "a.int", "size": 1}, "int", "no primitive type has"),
    "field name of many letters": (
        record(field("int", "a" * 1001)),
        "R.fields[0]",
        "legal name of at most 1000 characters",
    ),
    "name of many letters": (enum("A", name="E" * 1001), None, "legal name of at most 1000 characters"),
    "namespace of many letters": (record(namespace="a." * 500 + "b"), None, "namespace of at most 1000 characters"),
    "reference of many letters": (
        record(field("a." * 500 + "b")),
        "R.x",
        "the name of a type of at most 1000 characters",
    ),
    "symbol of many letters": (enum("A" * 1001), "E", "legal names of at most 1000 characters"),
    "field name with a dot": (record(field("int", "a.b")), "R.fields[0]", "legal name"),
    "field twice": (record(field("int"), field("long")), "R", 'each field once, got "x" twice'),
    "type twice": (record(field(F16), field(F16, "y")), "R.y", 'defined once, got "F" again'),
    "type twice, written differently": (
        record(field({**F16, "namespace": "a"}), field({**F16, "name": "a.F"}, "y")),
        "R.y",
        'got "a.F" again',
    ),
    "unknown reference": (record(field({"type": "array", "items": "Item"})), "R.x[]", 'the name "Item"'),
    "reference before the definition": (record(field("F"), field(F16, "y")), "R.x", "before this place"),
    "reference to the null namespace from inside another": (
        record(field({**F16, "namespace": ""}), field("F", "y"), namespace="a"),
        "R.y",
        'the name "a.F"',
    ),
    "reference that is no name": (record(field("a b")), "R.x", "name of a type"),
    # enums, fixed, unions
    "too many symbols": (enum(*(f"S{n}" for n in range(10_001))), "E", "up to 10000 symbols"),
    "symbol illegal": (enum("A", "b-c"), "E", 'got "b-c"'),
    "symbol twice": (enum("A", "B", "A"), "E", 'got "A" twice'),
    "default no symbol": (enum("A", default="B"), "E", "among the symbols"),
    "default unhashable": (enum("A", default=[]), "E", "among the symbols"),
    **{
        f"fixed of {size}": ({"type": "fixed", "name": "F", "size": size}, "F", "0 to 65536")
        for size in (-1, 65_537, 2**62)
    },
    "nested union": (record(field(["null", ["int"]])), "R.x", "another union"),
    "two ints": (["int", {"type": "int", "logicalType": "date"}], None, 'two of "int"'),
    "two arrays": ([nested(1), nested(2)], None, 'two of "array"'),
    "two maps": (record(field([{"type": "map", "values": "int"}] * 2)), "R.x", 'two of "map"'),
    "a type and its reference": (record(field(["null", F16, "F"])), "R.x", 'two of "F"'),
    "a reference twice": (record(field(F16), field(["F", ".F".removeprefix(".")], "y")), "R.y", 'two of "F"'),
    # bounds
    "33 deep": (nested(33), "[]" * 32, "at most 32"),
    "33 deep by reference": (chain(32), "R", "at most 32 types inside each other, got 33"),
    "2^12 by reference": (chain(12, uses=2), "R", "10000 types"),
    "too many fields": (record(*(field("int", f"f{n}") for n in range(1_001))), "R", "up to 1000 fields, got 1001"),
    "too many named types": (
        ["null", *({"type": "fixed", "name": f"F{n}", "size": 1} for n in range(1_001))],
        None,
        "1000 named types, got 1001",
    ),
    "array of null": (record(field({"type": "array", "items": "null"})), "R.x[]", "take bytes, got null"),
    "array of empty records": ({"type": "array", "items": record()}, "[]", "take bytes, got record R"),
    "array of records of nothing": (
        record(
            field(
                {
                    "type": "array",
                    "items": {"type": "record", "name": "S", "fields": [field("null"), field(record(name="T"), "y")]},
                }
            )
        ),
        "R.x[]",
        "take bytes",
    ),
    "array of a reference to nothing": (
        record(field(record(name="S")), field(nested(1, "S"), "y")),
        "R.y[]",
        "take bytes",
    ),
    "array of null in an array": (record(field(nested(2, "null"))), "R.x[][]", "take bytes"),
    "recursion": (NODE, "R.next", "does not contain itself"),
    "recursion through a map": (record(field({"type": "map", "values": "R"})), "R.x{}", "does not contain itself"),
    "two records that need each other": (
        record(field({"type": "record", "name": "S", "fields": [field("R", "r")]}, "s")),
        "R.s.r",
        "does not contain itself",
    ),
}


@pytest.mark.parametrize(("schema", "path", "text"), BAD.values(), ids=BAD)
def test_bad_schemas_are_refused_with_their_path(schema: Any, path: str | None, text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        lint(schema, file="x.avsc")

    assert text in caught.value.message
    assert caught.value.path == path
    assert caught.value.file == "x.avsc"


INNER = {"type": "record", "name": "S", "fields": [field("int"), field("int", "y", default=0)]}

BAD_DEFAULTS: dict[str, tuple[Any, Any, str, str]] = {
    "null": ("null", 0, "R.x", "fits null, got 0"),
    "boolean": ("boolean", 1, "R.x", "fits boolean, got 1"),
    "bool for int": ("int", True, "R.x", "fits int, got true"),
    "33 bits": ("int", 2**31, "R.x", "fits int"),
    "65 bits": ("long", -(2**63) - 1, "R.x", "fits long"),
    "float for long": ("long", 1.0, "R.x", "fits long, got 1.0"),
    "text for long": ("long", "1", "R.x", "fits long"),
    "text for double": ("double", "NaN", "R.x", "fits double"),
    "bool for double": ("double", False, "R.x", "fits double"),
    "too large for float": ("float", 3.5e38, "R.x", "fits float"),
    "int too large for double": ("double", 2**1024 - 1, "R.x", "fits double"),
    "bytes beyond latin-1": ("bytes", "Ā", "R.x", "fits bytes"),
    "fixed too short": (F16, "abc", "R.x", "fits fixed F"),
    "no symbol": (enum("A"), "B", "R.x", "fits enum E"),
    "unhashable symbol": (enum("A"), {}, "R.x", "fits enum E"),
    "item": ({"type": "array", "items": "int"}, [1, "2"], "R.x[1]", 'fits int, got "2"'),
    "value": ({"type": "map", "values": "int"}, {"a": None}, 'R.x["a"]', "fits int, got null"),
    "array an object": ({"type": "array", "items": "int"}, {}, "R.x", "fits array"),
    "no branch": (["null", "int"], "a", "R.x", "fits a branch of union [null, int]"),
    "no branch inside": ({"type": "array", "items": ["null", "int"]}, [1, "a"], "R.x[1]", "fits a branch of union"),
    "no branch, one near it": (["null", INNER], {"x": "1"}, "R.x.x", "fits int"),
    "inside a branch": ([{"type": "array", "items": "int"}, "null"], [""], "R.x[0]", "fits int"),
    "record a list": (INNER, [], "R.x", "fits record S"),
    "record incomplete": (INNER, {"y": 1}, "R.x", 'the field "x"'),
    "record with another field": (INNER, {"x": 1, "z": 1}, "R.x", 'another one, "z"'),
    "field of a record": (INNER, {"x": "1"}, "R.x.x", "fits int"),
}


@pytest.mark.parametrize(("type_", "default", "path", "text"), BAD_DEFAULTS.values(), ids=BAD_DEFAULTS)
def test_defaults_that_do_not_fit_are_refused(type_: Any, default: Any, path: str, text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        lint(record(field(type_, default=default)))

    assert text in caught.value.message
    assert caught.value.path == path


def doubling(levels: int, number: int = 0) -> dict[str, Any]:
    """Records whose two defaults each take in two defaults of the record around them."""
    fields = []
    if number:
        fields = [field([f"S{number - 1}", "null"], name, default={}) for name in "ab"]
    inner = ["null", doubling(levels, number + 1)] if number < levels else "null"
    return {"type": "record", "name": f"S{number}", "fields": [*fields, field(inner, "inner", default=None)]}


class TestRecursion:
    GOOD: ClassVar = {
        "list": NODE,
        "tree": record(field({"type": "array", "items": "R"}, "children")),
        "through another record": record(
            field(["null", {"type": "record", "name": "S", "fields": [field("R", "back")]}])
        ),
    }
    BAD: ClassVar = {
        "no base case": (record(field("R", "self")), "R", "data that can end"),
        "no base case through a union": (record(field(["R"], "self")), "R", "data that can end"),
        "inner one without a base case": (
            record(field(["null", {"type": "record", "name": "S", "fields": [field("S", "self")]}])),
            "R.x",
            "record S that always contains",
        ),
        "default takes in itself": (record(field(["R", "null"], "next", default={})), "R.next", "default that ends"),
        "defaults take in each other": (
            record(
                field(
                    [{"type": "record", "name": "S", "fields": [field(["R", "null"], "r", default={})]}, "null"],
                    "s",
                    default={},
                ),
            ),
            "R.s",
            "default that ends",
        ),
        "defaults double at each step": (doubling(14), "S0" + ".inner" * 13 + ".a", "default that ends"),
    }

    @pytest.mark.parametrize("schema", GOOD.values(), ids=GOOD)
    def test_is_accepted_on_request_only(self, schema: Any) -> None:
        lint(schema, recursion=True)
        with pytest.raises(SchemaError, match="does not contain itself"):
            lint(schema)

    @pytest.mark.parametrize(("schema", "path", "text"), BAD.values(), ids=BAD)
    def test_without_end_is_never_accepted(self, schema: Any, path: str, text: str) -> None:
        with pytest.raises(SchemaError) as caught:
            lint(schema, recursion=True)
        assert text in caught.value.message
        assert caught.value.path == path


def test_all_problems_of_a_round_are_told() -> None:
    schema = record(field("in"), field({"type": "array"}, "y"), field("int", "1"))

    assert [problem.path for problem in problems(schema)] == ["R.x", "R.y", "R.fields[2]"]


def test_long_values_are_cut_short_in_messages() -> None:
    with pytest.raises(SchemaError) as caught:
        lint(record(field("int", default="y" * 10_000)))
    assert len(str(caught.value)) < 200


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["int", "record", "array", "A"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "name",
                    "fields",
                    "items",
                    "values",
                    "symbols",
                    "size",
                    "default",
                    "aliases",
                    "namespace",
                    "logicalType",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(schema=JSON_VALUES)
def test_junk_is_refused_or_can_be_used(schema: Any) -> None:
    try:
        lint(schema, recursion=True)
    except SchemaError:
        return
    assert json.loads(canonical(schema)) is not None


@given(data=st.data())
def test_a_legal_schema_with_one_part_replaced_is_refused_or_can_be_used(
    data: st.DataObject, legal_schemas: Any
) -> None:
    schema = [data.draw(legal_schemas)]
    parts = list(_places(schema))
    holder, key = data.draw(st.sampled_from(parts))
    holder[key] = data.draw(JSON_VALUES)
    try:
        lint(schema[0], recursion=True)
    except SchemaError:
        return
    canonical(schema[0])


def _places(value: Any) -> Any:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(item)


REFUSED = {
    ("field: default type invalid (int default 'x')", "reader"): "fits int",
    ("enum: default not in symbols", "reader"): "among the symbols",
    ("infinite record (no base)", "writer"): "data that can end",
    ("infinite record (no base)", "reader"): "data that can end",
}


def test_of_the_shared_resolution_cases_only_known_ones_are_refused() -> None:
    cases = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    found = {
        (case["name"], side): problems(case[side], recursion=True)[0].message
        for case in cases
        for side in ("writer", "reader")
        if problems(case[side], recursion=True)
    }

    assert len(cases) == 181
    assert found.keys() == REFUSED.keys()
    assert [key for key, reason in REFUSED.items() if reason not in found[key]] == []
