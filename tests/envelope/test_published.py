"""The schemas that readers in other languages take from `schemas/stamp`."""

from __future__ import annotations

import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest

from stamp.schema.identity import SchemaId, crc64, parsing_canonical_form
from stamp.schema.lint import lint, parse

PUBLISHED = Path(__file__).parents[2] / "schemas" / "stamp"
ENVELOPE = parse((PUBLISHED / "envelope.v1.avsc").read_bytes())
FAILURE = parse((PUBLISHED / "failure.v1.avsc").read_bytes())

INSTANT = "timestamp-micros"


def fields(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["name"], shown(each["type"])) for each in record["fields"]]


def shown(type_: Any) -> str:
    if isinstance(type_, str):
        return type_
    kind = type_["type"]
    inner = {"array": "items", "map": "values"}.get(kind)
    return f"{kind}<{shown(type_[inner])}>" if inner else type_.get("name") or type_.get("logicalType") or kind


@pytest.mark.parametrize("name", sorted(path.name for path in PUBLISHED.glob("*.avsc")))
def test_the_package_has_the_same_bytes(name: str) -> None:
    assert files("stamp").joinpath("envelope", name).read_bytes() == (PUBLISHED / name).read_bytes()


@pytest.mark.parametrize("schema", [ENVELOPE, FAILURE], ids=["envelope", "failure"])
def test_they_pass_our_own_lint(schema: Any) -> None:
    lint(schema)


def test_the_order_of_fields_is_the_format() -> None:
    contribution = ENVELOPE["fields"][-1]["type"]["items"]

    assert fields(ENVELOPE) == [
        ("workflow", "string"),
        ("workflow_id", "string"),
        ("started_at", INSTANT),
        ("attributes", "map<string>"),
        ("contributions", "array<Contribution>"),
    ]
    assert fields(contribution) == [
        ("step", "string"),
        ("schema", "SchemaId"),
        ("payload", "bytes"),
        ("event", "string"),
        ("event_id", "Id"),
        ("causes", "array<Id>"),
        ("received_at", INSTANT),
        ("completed_at", INSTANT),
        ("outcome", "Outcome"),
        ("attributes", "map<string>"),
        ("signatures", "array<Signature>"),
    ]
    assert fields(contribution["fields"][-1]["type"]["items"]) == [("key_id", "string"), ("value", "bytes")]
    assert fields(FAILURE) == [("type", "string"), ("message", "string"), ("detail", "map<string>")]


def test_version_1_never_changes() -> None:
    assert crc64(parsing_canonical_form(ENVELOPE).encode()).hex() == "297fcf986d338a66"
    assert [str(SchemaId.of(schema)) for schema in (ENVELOPE, FAILURE)] == [
        "d56607b9dfa572c3aef6b0f95d1ea3ea",
        "7e69daa1453bd652abf40fcb9bc8eff6",
    ]


def test_other_libraries_read_what_they_say() -> None:
    block = io.BytesIO()
    contribution = {
        "step": "ticket",
        "schema": bytes(16),
        "payload": b"\0",
        "event": "TicketCreated",
        "event_id": b"\1" * 16,
        "causes": [],
        "received_at": 0,
        "completed_at": 1,
        "outcome": "COMPLETED",
        "attributes": {},
        "signatures": [],
    }
    fastavro.schemaless_writer(
        block, fastavro.parse_schema({**ENVELOPE["fields"][-1]["type"]["items"], "namespace": "stamp"}), contribution
    )
    head = {"workflow": "ticket", "workflow_id": "4729", "started_at": 0, "attributes": {}, "contributions": []}
    empty = io.BytesIO()
    fastavro.schemaless_writer(empty, fastavro.parse_schema(ENVELOPE), head)
    item = block.getvalue()
    body = empty.getvalue()[:-1] + b"\1" + _zigzag(len(item)) + item + b"\0"

    by_fastavro = fastavro.schemaless_reader(io.BytesIO(body), ENVELOPE, None)
    reader = avro.io.DatumReader(avro.schema.parse(json.dumps(ENVELOPE)))
    by_apache = reader.read(avro.io.BinaryDecoder(io.BytesIO(body)))

    for read in (by_fastavro, by_apache):
        assert [each["event"] for each in read["contributions"]] == ["TicketCreated"]
        assert read["contributions"][0]["outcome"] == "COMPLETED"


def _zigzag(number: int) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, "long", number)
    return buffer.getvalue()
