"""Proofs: data of every branch, symbol and extreme value, that a reader must read."""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stamp.compat import Severity, check, prove
from stamp.compat.datum import Branch, encode
from stamp.compat.extremes import values
from stamp.compat.sampler import Sampler
from stamp.compat.smallest import Smallest
from stamp.errors import EncodeError, SchemaError
from stamp.schema.decoder import decoder, decoder_of
from stamp.schema.lint import problems
from stamp.schema.types import load


def record(*fields: Any, name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": field, "type": type_} for field, type_ in fields]}


def fixed(size: int, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size, **more}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}
UUID = {"type": "string", "logicalType": "uuid"}
TREE = record(("left", ["null", "R"]), ("right", ["null", "R"]), ("n", "int"))
MICROS = {"type": "long", "logicalType": "timestamp-micros"}

COUNTS: list[tuple[Any, int]] = [
    ("null", 1),
    ("boolean", 2),
    (ENUM, 3),
    (["null", "boolean"], 4),  # by turns: null, false, null, true
    (record(("a", ENUM), ("b", "boolean")), 3),
    (record(), 1),
]


@pytest.mark.parametrize(("schema", "count"), COUNTS)
def test_there_is_a_datum_for_each_choice_and_not_for_each_combination(schema: Any, count: int) -> None:
    assert prove(schema, schema) == count


SEEN: list[tuple[Any, Any]] = [
    ("bytes", "string"),
    ("string", UUID),
    ("bytes", UUID),
    ("bytes", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}),
    ("long", MICROS),
    ("int", MICROS),
    ("int", {"type": "int", "logicalType": "time-millis"}),
    (fixed(16), fixed(16, logicalType="uuid")),
    (fixed(4), fixed(4, logicalType="decimal", precision=3, scale=1)),
    (["null", "long"], ["null", MICROS]),
]


@pytest.mark.parametrize(("writer", "reader"), SEEN)
def test_a_reader_that_sees_more_than_is_said_gets_data_in_which_it_is(writer: Any, reader: Any) -> None:
    assert prove(reader, writer) > 1


def test_fields_that_see_what_contradicts_itself_in_one_value_are_no_proof() -> None:
    number = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    fields = [{"name": name, "type": type_, "aliases": ["x"]} for name, type_ in (("a", number), ("b", UUID))]
    reader = {"type": "record", "name": "R", "fields": fields}
    found = check(reader, record(("x", "bytes")))
    assert {each.rule for each in found if each.severity is Severity.ERROR} == {"text-read-as-uuid"}
    assert prove(reader, record(("x", "bytes"))) == 0


def test_items_without_bytes_are_read() -> None:
    nulls = {"type": "array", "items": "null"}
    assert prove(nulls, nulls) == 3


def test_recursive_data_are_read() -> None:
    assert prove(TREE, TREE) > 2
    assert prove(record(("left", ["null", "R"])), TREE) > 2


@pytest.mark.parametrize(
    ("reader", "writer"), [("int", "string"), ("int", ["null", "int"]), ({**ENUM, "symbols": ["A"]}, ENUM)]
)
def test_a_datum_that_is_not_read_is_told(reader: Any, writer: Any) -> None:
    with pytest.raises(AssertionError, match=r"expected .* to be read.*, got: "):
        prove(reader, writer)


def test_the_example_that_other_checkers_accept_is_refuted() -> None:
    def root(v: str, *others: Any) -> Any:
        first = record(("a", ["null", record(("l", "L"), name="A")]), ("v", v), name="L")
        return record(("f1", [first, *others] if others else first), ("f2", "A"), name="Root")

    other = {**record(("v", "string"), name="X"), "aliases": ["L"]}
    with pytest.raises(AssertionError, match="f2"):
        prove(root("int", other), root("string"))


def test_a_view_is_bound_by_the_name_of_the_step() -> None:
    writer, view = record(("x", "int"), name="Ticket"), record(("x", "int"), name="View")
    assert prove(view, writer, as_view=True) > 1
    with pytest.raises(AssertionError, match="another name"):
        prove(view, writer)


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(SchemaError):
        prove("int", {"type": "integer"})


def test_data_that_are_too_large_are_none() -> None:
    schema = record(*[(f"f{n}", fixed(60_000) if n == 0 else "F") for n in range(3)])
    assert prove(schema, schema) == 0


def test_a_proof_ends_when_its_budget_is_spent() -> None:
    wide = record(*[(f"f{n}", ["null", "int", "string", "double", "boolean"]) for n in range(60)])
    assert prove(wide, wide, budget=1) == 1
    began = process_time()
    assert prove(wide, wide) > 10
    bushy = record(*[(f"f{n}", {"type": "array", "items": "R"}) for n in range(6)])
    assert prove(bushy, bushy) >= 1
    assert process_time() - began < 3


def test_a_pair_without_errors_is_proved(evolutions: st.SearchStrategy[Any]) -> None:
    @given(evolutions)
    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    def law(pair: tuple[Any, Any]) -> None:
        writer, reader = pair
        assume(not any(each.severity is Severity.ERROR for each in check(reader, writer)))
        assert prove(reader, writer, budget=500) > 0

    law()


# -- what proofs are made of


def branches(type_: Any, datum: Any) -> Iterator[tuple[Any, int]]:
    """Yield each union in a type with the number of the branch that a datum takes."""
    if isinstance(datum, Branch):
        yield type_, datum.number
        yield from branches(type_.branches[datum.number], datum.value)
    elif type_.kind == "record":
        for field in type_.fields:
            yield from branches(field.type, datum[field.name])
    elif type_.items is not None:
        for item in datum.values() if isinstance(datum, dict) else datum:
            yield from branches(type_.items, item)


def test_data_by_turns_take_every_branch() -> None:
    root = load(record(("a", ["null", "int", ENUM]), ("b", {"type": "map", "values": ["string", "null"]})))
    turns: dict[Any, int] = {}

    def in_turn(place: Any, options: Any) -> Any:
        turns[place] = turns.get(place, -1) + 1
        return options[turns[place] % len(options)]

    sampler = Sampler(root, root, in_turn)
    taken = {each for _ in range(6) for each in branches(root, sampler.datum())}
    assert len(taken) == 3 + 2


def test_the_smallest_datum_is_one_and_no_other_is_smaller(written_schemas: st.SearchStrategy[Any]) -> None:
    @given(written_schemas, st.randoms(use_true_random=False))
    @settings(max_examples=100)
    def law(schema: Any, random: Any) -> None:
        root = load(schema)
        smallest = Smallest(root)
        data = encode(root, smallest.datum(root))
        assert len(data) <= smallest.size(root)  # values count too
        decoder(schema)(data)
        other = encode(root, Sampler(root, root, lambda _, options: random.choice(options)).datum())
        assert len(data) <= len(other) + 8
        decoder(schema)(other)

    law()


def test_a_type_that_always_contains_itself_has_no_smallest_datum() -> None:
    endless = load(record(("r", "R")))
    assert Smallest(endless).size(endless) == float("inf")


def test_extreme_values_are_of_their_type(written_schemas: st.SearchStrategy[Any]) -> None:
    @given(written_schemas)
    @settings(max_examples=60)
    def law(schema: Any) -> None:
        assume(not isinstance(schema, list))
        type_ = load(schema)
        assume(type_.kind not in {"record", "array", "map"})
        for each in values(type_):
            decoder_of(type_, type_)(encode(type_, each))

    law()


MISFITS: list[tuple[Any, Any]] = [
    ("int", "1"),
    ("int", 2**31),
    ("long", True),
    ("string", b""),
    ("bytes", ""),
    (fixed(2), b"\0"),
    (ENUM, "D"),
    (["null", "int"], 1),
    (["null", "int"], Branch(2, 1)),
    (record(("x", "int")), {}),
    (record(("x", "int")), {"x": 1, "y": 2}),
    ({"type": "array", "items": "int"}, {"a": 1}),
]


@pytest.mark.parametrize(("schema", "datum"), MISFITS)
def test_what_is_no_datum_of_a_type_is_not_encoded(schema: Any, datum: Any) -> None:
    with pytest.raises(EncodeError, match="expected a datum of"):
        encode(load(schema), datum)


def test_the_error_of_an_encoding_has_its_path() -> None:
    schema = load(record(("a", {"type": "map", "values": {"type": "array", "items": "int"}})))
    with pytest.raises(EncodeError, match=r"a\['k'\]\[1\]"):
        encode(schema, {"a": {"k": [1, "2"]}})


def test_a_schema_that_contracts_would_accept_is_proved_within_itself(written_schemas: st.SearchStrategy[Any]) -> None:
    @given(written_schemas)
    @settings(max_examples=80)
    def law(schema: Any) -> None:
        assume(not problems(schema))
        assert prove(schema, schema, budget=300) > 0

    law()
