"""What a service announces, and what whoever reads it believes."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from stamp import Workflow
from stamp.ripple.contracts import contracts_of, read_folder
from stamp.schema.identity import SchemaId
from stamp.schema.release import Origin
from stamp.workflow import export
from stamp.workflow.announcement import (
    contract_documents,
    contract_files,
    find_schema,
    listener_document,
    listeners,
    schemas_of,
)


class Ordered(BaseModel):
    total: int


class Paid(BaseModel):
    amount: int


def shop(folder, *, written=Ordered):
    workflow = Workflow("shop", contracts=folder)
    workflow.starts("order", written, emits="OrderPlaced")

    @workflow.step(on="OrderPlaced", emits="OrderPaid")
    def payment(order: Ordered) -> Paid:
        return Paid(amount=order.total)

    return workflow


def test_exported_contracts_come_out_as_they_are(tmp_path):
    workflow = shop(tmp_path)
    export(workflow)

    files = contract_files(contract_documents(workflow, workflow.steps), "shop")

    found = contracts_of({name: text.encode() for name, text in files.items()}, name="announced")
    there = read_folder(tmp_path)
    assert found.steps.keys() == there.steps.keys()
    for key, contract in there.steps.items():
        announced = found.steps[key]
        assert (announced.on, announced.emits, announced.reads) == (contract.on, contract.emits, contract.reads)
        assert [each.id for each in announced.versions] == [each.id for each in contract.versions]


def test_only_the_given_steps_are_announced(tmp_path):
    documents = contract_documents(shop(tmp_path), ["payment"])

    assert {name.split("/")[1] for name in contract_files(documents, "shop")} == {"payment"}


def test_what_the_code_says_beyond_the_released_files_is_announced_as_the_next_version(tmp_path):
    class Wider(BaseModel):
        total: int
        note: str = ""

    Wider.__name__ = "Ordered"
    export(shop(tmp_path))

    documents = contract_documents(shop(tmp_path, written=Wider), ["order"])

    assert [name for name in contract_files(documents, "shop") if name.endswith(".avsc")] == [
        "shop/order/Ordered.v1.avsc",
        "shop/order/Ordered.v2.avsc",
    ]
    assert not list(tmp_path.rglob("*.v2.avsc"))


def test_a_schema_is_found_by_its_id_with_where_it_comes_from(tmp_path):
    workflow = shop(tmp_path)
    documents = contract_documents(workflow, workflow.steps)
    [emission] = workflow.steps["payment"].emissions.values()

    found = find_schema(documents, emission.schema_id, "shop")

    assert found is not None
    assert SchemaId.of(found.schema) == emission.schema_id
    assert found.origins == (Origin("shop", "payment", "Paid", 1),)
    assert find_schema(documents, SchemaId(bytes(16)), "shop") is None


def test_two_schemas_of_one_number_are_both_in_the_folder():
    texts = [json.dumps(GOOD | {"doc": doc, "aliases": [doc]}) for doc in ("first", "second", "third")]
    ids = [SchemaId.of(json.loads(text)) for text in texts]
    documents = {
        f"schema/{id_}/a/A.v{number}.avsc": text for id_, text, number in zip(ids, texts, (2, 2, 1), strict=True)
    }

    files = contract_files(documents, "shop")

    assert list(files) == [f"shop/a/A.v{number}.avsc" for number in (1, 2, 3)]
    assert sorted(files.values()) == sorted(texts)


GOOD = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
ID = str(SchemaId.of(GOOD))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (f"schema/{ID}/a/A.v1.avsc", json.dumps(GOOD | {"fields": []})),  # another schema under this id
        (f"schema/{'0' * 32}/a/A.v1.avsc", json.dumps(GOOD)),
        (f"schema/{ID}/a/A.v1.avsc", "{"),
        (f"schema/{ID}/a/A.v1.avsc", "[" * 100_000),
        (f"schema/{ID}/a/A.v1.avsc", json.dumps(GOOD) + " " * 2**20),
        (f"schema/{ID}/a/A.v0.avsc", json.dumps(GOOD)),
        (f"schema/{ID}/a/A.v{'9' * 30}.avsc", json.dumps(GOOD)),
        (f"schema/{ID}/../A.v1.avsc", json.dumps(GOOD)),
        (f"schema/{ID}/a/../../A.v1.avsc", json.dumps(GOOD)),
        (f"schema/{ID}/a", json.dumps(GOOD)),
        (f"schema/{SchemaId.of('string')}/a/A.v1.avsc", '"string"'),
    ],
)
def test_what_is_no_schema_of_its_key_is_left_out(key, text):
    assert list(schemas_of({key: text}, "shop")) == []
    assert [
        found.schema for found in schemas_of({key: text, f"schema/{ID}/b/A.v1.avsc": json.dumps(GOOD)}, "shop")
    ] == [GOOD]


@pytest.mark.parametrize(
    "key",
    [
        "contract/../step.json",
        "contract/a/../../b",
        "contract/a/reads/../../x.avsc",
        "contract//step.json",
        "contract/a/reads/b",
    ],
)
def test_no_file_outside_the_folder_of_a_step_is_announced(key):
    assert contract_files({key: "{}"}, "shop") == {}


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ('["A","B","A"]', {"a": ("A", "B")}),
        ("[]", {"a": ()}),
        ("null", {"a": ()}),
        ('["not an event"]', {}),
        ("[1]", {}),
        ('{"on": []}', {}),
        ("nonsense", {}),
    ],
)
def test_who_listens_to_what(text, events):
    assert listeners({"listener/a": text, "listener/../b": '["A"]', "contract/a": '["A"]'}) == events


@pytest.mark.parametrize("events", [["A", "B.failed"], [], None])
def test_a_listener_is_read_as_it_was_announced(events):
    assert listeners(listener_document("a", events)) == {"a": tuple(events or ())}
