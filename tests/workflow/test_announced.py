"""Contracts that were announced come out as they went in; nothing else that somebody wrote there gets into a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from stamp.ripple.contracts import contracts_of, read_folder
from stamp.ripple.example import files
from stamp.schema.identity import SchemaId
from stamp.workflow.announced import announced, contract_files, unmatched, withdrawal
from stamp.workflow.announcement import AnnouncedSchema, folder_documents
from stamp.workflow.numbering import numbered

STEPS: Mapping[str, Mapping[str, Any]] = {
    "order": {
        "emits": {"Ordered": "Order"},
        "writes": {"Order.v1": {"id": "string"}, "Order.v2": {"id": "string", "n": "int"}},
    },
    "payment": {
        "on": ["Ordered"],
        "emits": {"Paid": "Payment"},
        "reads": {"order": {"id": "string"}},
        "writes": {"Payment.v1": {"sum": "long"}},
    },
}
GOOD = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
ID = SchemaId.of(GOOD)


def named(schema: dict[str, Any], number: int, step: str = "a") -> tuple[str, str]:
    return f"schema/{SchemaId.of(schema)}/{step}/{schema['name']}.v{number}.avsc", json.dumps(schema)


def said(step: str = "a", **more: Any) -> str:
    return json.dumps({"workflow": "shop", "step": step, "on": [], "emits": {}} | more)


@pytest.fixture
def documents(tmp_path) -> dict[str, str]:
    for name, text in files(STEPS, workflow="shop").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)
    return {**folder_documents(tmp_path / "shop/order"), **folder_documents(tmp_path / "shop/payment")}


def test_contracts_come_out_as_they_went_in(documents, tmp_path):
    found = contracts_of(contract_files(announced(documents, "shop"), "shop"), name="announced")

    there = read_folder(tmp_path)
    assert found.steps.keys() == there.steps.keys()
    for key, contract in there.steps.items():
        came = found.steps[key]
        assert (came.on, came.emits, came.reads) == (contract.on, contract.emits, contract.reads)
        assert [each.id for each in came.versions] == [each.id for each in contract.versions]


def test_views_of_an_earlier_contract_are_left_out(documents):
    documents["contract/payment/reads/stock.avsc"] = json.dumps(GOOD)

    found = announced(documents, "shop")

    assert set(found.steps["payment"].files()) == {"step.json", "reads/order.avsc", "Payment.v1.avsc"}
    assert (found.broken, found.faults) == ({}, ())


def test_a_step_that_is_withdrawn_has_no_contract_and_its_schemas_stay(documents):
    documents |= withdrawal("payment")

    found = announced(documents, "shop")

    assert set(found.steps) == {"order"}
    assert (found.listeners, found.broken, found.faults) == ({"payment": ()}, {}, ())
    assert any(key.endswith("/payment/Payment.v1.avsc") for key in documents)


def test_two_schemas_of_one_number_get_two_files():
    one, two, three = ({**GOOD, "aliases": [alias]} for alias in ("first", "second", "third"))
    documents = dict([named(one, 2), named(two, 2), named(three, 1), ("contract/a/step.json", said())])

    came = announced(documents, "shop").steps["a"].files()

    assert sorted(came) == ["A.v1.avsc", "A.v2.avsc", "A.v3.avsc", "step.json"]
    assert came["A.v1.avsc"] == three
    assert {came[file]["aliases"][0] for file in ("A.v2.avsc", "A.v3.avsc")} == {"first", "second"}


def test_the_second_schema_of_a_number_does_not_take_that_of_another():
    one, two, three = ({**GOOD, "aliases": [alias]} for alias in ("first", "second", "third"))
    step = announced(dict([named(one, 1), named(two, 1), named(three, 2)]), "shop").steps["a"]
    assert step.files()["A.v2.avsc"] == three
    assert sorted(step.files()) == ["A.v1.avsc", "A.v2.avsc", "A.v3.avsc"]


A, B = (SchemaId(bytes([number]) * 16) for number in (1, 2))


@pytest.mark.parametrize(
    ("ones", "others", "left"),
    [
        ([("R", 1, A)], [("R", 1, A)], []),
        ([("R", 1, A), ("R", 2, B)], [("R", 1, A)], [("R", 2, B)]),
        ([("R", 1, A), ("R", 2, A)], [("R", 1, A)], [("R", 2, A)]),  # they differ in what models enforce
        ([("R", 2, A)], [("R", 3, A)], []),  # it has another number there
        ([("R", 2, A), ("R", 4, A)], [("R", 3, A)], [("R", 4, A)]),
        ([("R", 1, A)], [("S", 1, A)], [("R", 1, A)]),
    ],
)
def test_versions_that_others_do_not_have(ones, others, left):
    assert unmatched(ones, others) == left


def test_a_service_that_does_not_know_the_number_of_its_version_takes_none_away():
    one, two = sorted(({**GOOD, "aliases": [alias]} for alias in ("first", "second")), key=SchemaId.of)
    for old, new in ((one, two), (two, one)):
        step = announced(dict([named(old, 1), named(new, 2), named(new, 1)]), "shop").steps["a"]
        assert step.files() == {"A.v1.avsc": old, "A.v2.avsc": new}


def test_versions_with_one_id_are_different_files():
    strict = GOOD | {"fields": [GOOD["fields"][0] | {"stamp": {"maximum": 9}}]}
    step = announced(dict([named(GOOD, 1), named(strict, 2)]), "shop").steps["a"]
    assert step.files() == {"A.v1.avsc": GOOD, "A.v2.avsc": strict}


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        (f"schema/{ID}/a/A.v1.avsc", json.dumps(GOOD | {"fields": []}), "expected the schema of this SchemaId"),
        (f"schema/{ID}/../A.v1.avsc", json.dumps(GOOD), "as the key"),
        (f"schema/{ID}/stamp/A.v1.avsc", json.dumps(GOOD), "as the key"),
        (f"schema/{ID}/a/A.v1.avsc/../../../x", json.dumps(GOOD), "as the key"),
        (f"schema/{ID}/a/A.v1.avsc", json.dumps(GOOD) + " " * 2**20, "at most"),
        ("contract/../step.json", said(), "as the key"),
        ("contract/a/../../b", said(), "as the key"),
        ("contract/a/reads/../../x.avsc", json.dumps(GOOD), "as the key"),
        ("contract/a/reads/.avsc", json.dumps(GOOD), "as the key"),
        ("contract//step.json", said(""), "as the key"),
        ("contract/a/reads/b", json.dumps(GOOD), "as the key"),
        ("contract/a/A.v1.avsc", json.dumps(GOOD), "as the key"),
        ("contract/a/step.json", said("b"), "got another one"),
        ("contract/a/step.json", said(workflow="other"), "got another one"),
        ("contract/a/step.json", "[]", "expected a JSON object"),
        ("contract/a/step.json", "{", "expected JSON"),
        ("contract/a/step.json", "[" * 100_000, "levels"),
        ("contract/a/step.json", said(**{"$schema": "\\ud800"}).replace("\\\\", "\\"), "surrogate"),
        ("contract/a/step.json", said() + " " * 2**20, "at most"),
        ("contract/a/reads/b.avsc", '{"type": "record"}', "name"),
        ("contract/a/reads/b.avsc", '"string"', "expected the schema of a record"),
        ("listener/a", "{}", "expected a JSON list"),
        ("listener/../a", "[]", "expected a JSON list"),
    ],
)
def test_what_nobody_can_use_is_left_out_and_told(key, text, why):
    found = announced({key: text, "contract/b/step.json": said("b"), "of a later release": "?"}, "shop")

    assert set(contract_files(found, "shop")) == {"shop/b/step.json"}
    [fault] = found.faults
    assert fault.key == key
    assert why in fault.why
    assert not found.listeners


def test_a_file_that_is_spoiled_is_why_a_contract_cannot_be_used(documents):
    documents["contract/payment/step.json"] = "{"

    [(step, why)] = announced(documents, "shop").broken.items()

    assert (step, why.partition("expected JSON")[0]) == ("payment", "contract/payment/step.json: line 1: ")


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        (dict([named(GOOD, 1)]), "with step.json, got none"),
        ({"contract/a/step.json": said(emits={"Done": "A"})}, "expected A.v1.avsc"),
        ({"contract/a/step.json": said(reads={"b": "reads/b.avsc"})}, "with reads/b.avsc, got none"),
        ({"contract/a/reads/b.avsc": json.dumps(GOOD)}, "with step.json, got none"),
    ],
)
def test_a_contract_that_was_announced_in_part_is_told(documents, why):
    found = announced({**documents, "contract/b/step.json": said("b")}, "shop")

    assert list(found.broken) == ["a"]
    assert why in found.broken["a"]
    assert set(contract_files(found, "shop")) == {"shop/b/step.json"}


def test_many_schemas_of_one_number_get_the_next_ones_in_time_that_grows_with_them():
    ids = [SchemaId(number.to_bytes(16, "big")) for number in range(5_000)]
    found = numbered(AnnouncedSchema(str(each), each, "a", "A", 7, GOOD) for each in ids)
    assert [each.version for each in found] == list(range(7, 5_007))
    assert {each.id for each in found} == set(ids)


def test_after_the_highest_number_comes_the_lowest_that_is_free():
    ids = [SchemaId(number.to_bytes(16, "big")) for number in range(3)]
    found = numbered(AnnouncedSchema(str(each), each, "a", "A", 999_999, GOOD) for each in ids)
    assert [each.version for each in found] == [1, 2, 999_999]
