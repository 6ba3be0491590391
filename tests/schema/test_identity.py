from __future__ import annotations

import copy
import hashlib
import json
import pickle
from typing import Any

import avro.schema
import fastavro.schema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import SchemaError
from stamp.schema.identity import SchemaId, canonical, crc64, fingerprint, parsing_canonical_form


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields), **more}


def field(type_: Any, **more: Any) -> dict[str, Any]:
    return {"name": "x", "type": type_, **more}


SAME = {
    "key order and spaces": (
        json.loads('{"type":"fixed","name":"F","size":2}'),
        json.loads('{ "size":2, "name":"F","type":"fixed"}'),
    ),
    "bare object": ({"type": "long"}, "long"),
    "object with doc only": ({"type": "long", "doc": "how many"}, "long"),
    "doc of a record": (record(doc="words"), record()),
    "doc of a field": (record(field("int", doc="words")), record(field("int"))),
    "doc of an enum": (
        {"type": "enum", "name": "E", "symbols": ["A"], "doc": "words"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
    ),
    "namespace folded": (
        {"type": "fixed", "name": "F", "namespace": "a.b", "size": 1},
        {"type": "fixed", "name": "a.b.F", "size": 1},
    ),
    "namespace of a full name is ignored": (
        {"type": "fixed", "name": "a.F", "namespace": "b", "size": 1},
        {"type": "fixed", "name": "a.F", "size": 1},
    ),
    "namespace inherited": (
        record(field({"type": "fixed", "name": "F", "size": 1}), namespace="a"),
        record(field({"type": "fixed", "name": "a.F", "size": 1}), namespace="a"),
    ),
    "empty namespace": (
        {"type": "fixed", "name": "F", "namespace": "", "size": 1},
        {"type": "fixed", "name": "F", "size": 1},
    ),
    "references": (
        record(field({"type": "fixed", "name": "F", "size": 1}), {"name": "y", "type": "F"}, namespace="a"),
        record(field({"type": "fixed", "name": "F", "size": 1}), {"name": "y", "type": "a.F"}, namespace="a"),
    ),
    "aliases": (record(namespace="a", aliases=["Q", "b.Q"]), record(namespace="a", aliases=["a.Q", "b.Q"])),
    "1 and 1.0": (record(field("double", default=1)), record(field("double", default=1.0))),
    "one double, two spellings": (record(field("double", default=10**22)), record(field("double", default=1e22))),
    "2^60 as a double": (record(field("double", default=2**60)), record(field("double", default=float(2**60)))),
}

DIFFERENT = {
    "decimal scale": (
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 4},
    ),
    "logical type": ({"type": "long", "logicalType": "timestamp-micros"}, "long"),
    "default": (record(field("int", default=1)), record(field("int", default=2))),
    "no default": (record(field("null", default=None)), record(field("null"))),
    "big defaults": (record(field("long", default=2**60)), record(field("long", default=2**60 + 1))),
    "next to 2^53": (record(field("long", default=2**53)), record(field("long", default=2**53 + 1))),
    "field aliases": (record(field("int", aliases=["y"])), record(field("int"))),
    "type aliases": (record(aliases=["Q"]), record()),
    "order": (record(field("int", order="ignore")), record(field("int"))),
    "unknown property": (record(unit="m"), record()),
    "doc inside an unknown property": (record(unit={"doc": "m"}), record(unit={})),
    "doc inside a default": (
        record(field({"type": "map", "values": "string"}, default={"doc": "a"})),
        record(field({"type": "map", "values": "string"}, default={})),
    ),
    "a field called doc": (record({"name": "doc", "type": "int"}), record()),
    "field order": (
        record(field("int"), {"name": "y", "type": "int"}),
        record({"name": "y", "type": "int"}, field("int")),
    ),
    "branch order": (["null", "int"], ["int", "null"]),
    "symbol order": (
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        {"type": "enum", "name": "E", "symbols": ["B", "A"]},
    ),
    "enum default": (
        {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
    ),
    "namespace": (record(namespace="a"), record(namespace="b")),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_means_the_same_has_one_id(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other)
    assert SchemaId.of(one) == SchemaId.of(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_is_read_differently_has_two_ids(one: Any, other: Any) -> None:
    assert SchemaId.of(one) != SchemaId.of(other)


def test_the_canonical_form_is_pinned() -> None:
    schema = {
        "type": "record",
        "name": "Validation",
        "namespace": "ticket",
        "doc": "What validation found.",
        "fields": [
            {
                "name": "price",
                "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
                "doc": "in EUR",
            },
            {"name": "count", "type": {"type": "long"}, "default": 2**53 + 1},
            {"name": "size", "type": "double", "default": 1.0},
            {
                "name": "level",
                "type": {"type": "enum", "name": "Level", "symbols": ["LOW", "HIGH"], "aliases": ["Grade"]},
            },
            {"name": "before", "type": ["null", "Level"], "default": None},
        ],
    }
    assert canonical(schema).decode() == (
        '{"fields":['
        '{"name":"price","type":{"logicalType":"decimal","precision":9,"scale":2,"type":"bytes"}},'
        '{"default":"9007199254740993","name":"count","type":"long"},'
        '{"default":1,"name":"size","type":"double"},'
        '{"name":"level","type":{"aliases":["ticket.Grade"],"name":"ticket.Level","symbols":["LOW","HIGH"],"type":"enum"}},'
        '{"default":null,"name":"before","type":["null","ticket.Level"]}'
        '],"name":"ticket.Validation","type":"record"}'
    )
    assert SchemaId.of(schema) == hashlib.sha256(canonical(schema)).digest()[:16]
    assert str(SchemaId.of(schema)) == "1fe0550c461ae967104f1b2ff83cf4ee"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (2**53 - 1, "9007199254740991"),
        (2**53, "9007199254740992"),
        (2**53 + 1, '"9007199254740993"'),
        (-(2**63), "-9223372036854776000"),
        (2**63 - 1, '"9223372036854775807"'),
        (2**60, "1152921504606847000"),
        (1e21, "1e+21"),
        (10**21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (333333333.33333329, "333333333.3333333"),
        (5e-324, "5e-324"),
        (10**400, f'"1{"0" * 400}"'),
    ],
)
def test_numbers_have_their_jcs_form_or_are_digits_in_a_string(number: float, text: str) -> None:
    assert canonical({"type": "int", "x": number}).decode() == f'{{"type":"int","x":{text}}}'


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, float("nan"), float("inf"), {1: 2}, {1, 2}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(SchemaError, match="written as JSON"):
        canonical({"type": "int", "x": value})


@given(data=st.data())
def test_neither_formatting_nor_docs_nor_a_round_trip_change_the_id(data: st.DataObject, legal_schemas: Any) -> None:
    schema = data.draw(legal_schemas)
    before = copy.deepcopy(schema)

    again = json.loads(json.dumps(schema, indent=3, sort_keys=True))

    assert SchemaId.of(again) == SchemaId.of(schema)
    assert schema == before


class TestSchemaId:
    ID = SchemaId.of("int")

    def test_a_slice_of_a_message_finds_it_in_a_dict(self) -> None:
        message = b"before" + self.ID + b"after"

        assert {self.ID: "entry"}[message[6:22]] == "entry"

    def test_text_and_repr_lead_back_to_it(self) -> None:
        assert SchemaId.fromhex(str(self.ID)) == self.ID
        assert eval(repr(self.ID)) == self.ID

    def test_is_the_start_of_the_fingerprint(self) -> None:
        assert fingerprint("int")[:16] == self.ID
        assert len(fingerprint("int")) == 32

    @pytest.mark.parametrize("again", [pickle.loads(pickle.dumps(ID)), copy.deepcopy(ID)], ids=["pickle", "copy"])
    def test_copies_stay_ids(self, again: object) -> None:
        assert again == self.ID
        assert type(again) is SchemaId

    def test_other_lengths_are_refused(self) -> None:
        with pytest.raises(SchemaError, match="expected a SchemaId of 16 bytes, got 15"):
            SchemaId(bytes(15))

    @pytest.mark.parametrize("text", ["", "zz", "00" * 15, "00" * 17])
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(SchemaError, match="SchemaId of"):
            SchemaId.fromhex(text)


@given(data=st.data())
def test_the_parsing_canonical_form_is_that_of_fastavro(data: st.DataObject, legal_schemas: Any) -> None:
    schema = data.draw(legal_schemas)

    assert parsing_canonical_form(schema) == fastavro.schema.to_parsing_canonical_form(schema)


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "int"}, '"int"'),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, '"bytes"'),
        ({"type": "array", "items": {"type": "long"}, "size": 3}, '{"type":"array","items":"long"}'),
        (
            {"type": "enum", "name": "E", "namespace": "a", "symbols": ["B", "A"], "default": "A", "doc": "d"},
            '{"name":"a.E","type":"enum","symbols":["B","A"]}',
        ),
        (
            record(field(["null", "R"], default=None, doc="d", order="ignore"), namespace="a", aliases=["b"]),
            '{"name":"a.R","type":"record","fields":[{"name":"x","type":["null","a.R"]}]}',
        ),
    ],
)
def test_the_parsing_canonical_form_keeps_what_parsing_needs(schema: Any, form: str) -> None:
    assert parsing_canonical_form(schema) == form


@given(text=st.text(max_size=200))
def test_crc64_is_that_of_fastavro(text: str) -> None:
    assert crc64(text.encode()).hex() == fastavro.schema.fingerprint(text, "CRC-64-AVRO")


@pytest.mark.parametrize("schema", ["null", record(field("int"), namespace="a"), {"type": "map", "values": "long"}])
def test_crc64_is_that_of_apache_avro(schema: Any) -> None:
    theirs = avro.schema.parse(json.dumps(schema)).fingerprint("CRC-64-AVRO")

    assert crc64(parsing_canonical_form(schema).encode()) == theirs


def test_crc64_of_nothing_is_the_seed_of_the_specification() -> None:
    assert crc64(b"") == 0xC15D213AA4D7A795.to_bytes(8, "little")
