"""What a service announces, and what whoever reads it believes."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from stamp import Workflow
from stamp.schema.identity import SchemaId
from stamp.schema.release import Origin
from stamp.workflow import export
from stamp.workflow.announced import announced
from stamp.workflow.announcement import (
    MAX_EVENTS,
    MAX_HEARD,
    MAX_LISTENERS,
    announcement,
    find_schema,
    folder_documents,
    listener_document,
    listeners,
    renewed_listener,
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


def test_what_is_announced_of_code_is_what_is_announced_of_its_exported_contracts(tmp_path):
    workflow = shop(tmp_path)
    before = announcement(workflow, workflow.steps).documents
    export(workflow)

    assert announcement(workflow, workflow.steps).documents == before
    assert {**folder_documents(tmp_path / "shop/order"), **folder_documents(tmp_path / "shop/payment")} == before


def test_only_the_given_steps_are_announced(tmp_path):
    assert set(announced(announcement(shop(tmp_path), ["payment"]).documents, "shop").steps) == {"payment"}


def test_what_the_code_says_beyond_the_released_files_is_announced_as_the_next_version(tmp_path):
    class Wider(BaseModel):
        total: int
        note: str = ""

    Wider.__name__ = "Ordered"
    export(shop(tmp_path))

    [order] = announced(announcement(shop(tmp_path, written=Wider), ["order"]).documents, "shop").steps.values()

    assert sorted(order.files()) == ["Ordered.v1.avsc", "Ordered.v2.avsc", "step.json"]
    assert not list(tmp_path.rglob("*.v2.avsc"))


def test_a_schema_is_found_by_its_id_with_where_it_comes_from(tmp_path):
    workflow = shop(tmp_path)
    documents = announcement(workflow, workflow.steps).documents
    [emission] = workflow.steps["payment"].emissions.values()

    found = find_schema(documents, emission.schema_id, "shop")

    assert found is not None
    assert SchemaId.of(found.schema) == emission.schema_id
    assert found.origins == (Origin("shop", "payment", "Paid", 1),)
    assert find_schema(documents, SchemaId(bytes(16)), "shop") is None


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
        (f"schema/{ID}/a/B.v1.avsc", json.dumps(GOOD)),  # the name of another record
        (f"schema/{SchemaId.of('string')}/a/A.v1.avsc", '"string"'),
    ],
)
def test_what_is_no_schema_of_its_key_is_left_out(key, text):
    assert list(schemas_of({key: text}, "shop")) == []
    assert [
        found.schema for found in schemas_of({key: text, f"schema/{ID}/b/A.v1.avsc": json.dumps(GOOD)}, "shop")
    ] == [GOOD]


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


def test_of_too_many_listeners_those_with_the_most_events_are_left_out():
    def listener(step: str, count: int) -> dict[str, str]:
        return listener_document(step, [f"E{number}" for number in range(count)])

    assert len(listeners(listener("a", MAX_EVENTS))["a"]) == MAX_EVENTS
    assert not listeners(listener("evil", MAX_EVENTS + 1))
    gone = listener_document("gone", None)
    many: dict[str, str] = listener("small", 3) | gone
    for number in range(20):
        many |= listener(f"evil{number}", MAX_EVENTS)
    found = listeners(many)
    assert len(found["small"]) == 3
    assert found["gone"] == ()
    assert MAX_HEARD - MAX_EVENTS < sum(map(len, found.values())) <= MAX_HEARD
    assert found == listeners(dict(reversed(many.items())))
    told = {fault.key: fault.why for fault in announced(many, "shop").faults}
    assert told.keys() == {key for key in many if key.removeprefix("listener/") not in found}
    assert all("at most 1,000 listeners with 10,000 events" in why for why in told.values())
    crowd: dict[str, str] = dict(gone)
    for number in range(MAX_LISTENERS + 10):
        crowd |= listener(f"evil{number}", 1)
    assert len(listeners(crowd)) == MAX_LISTENERS + 1
    assert len(announced(crowd, "shop").faults) == 10


def started(there, *releases):
    """Return what is announced after instances that listen to these events have started, one after the other."""
    for events in releases:
        there = there | renewed_listener("a", events, there)
    return set(listeners(there)["a"])


@pytest.mark.parametrize(
    ("releases", "heard"),
    [
        (["A"], "A"),
        (["A", "A"], "A"),
        (["A", "AB"], "AB"),
        (["A", "AB", "A"], "AB"),  # an instance of before takes nothing back
        (["A", "AB", "A", "AB"], "AB"),
        (["AB", "A"], "A"),  # a later release may listen to less
        (["A", "B"], "B"),
        (["A", "B", "A"], "AB"),  # what still runs, or is rolled back to, is heard
        (["A", "B", "A", "B"], "B"),
        (["A", "B", "C", "A", "B"], "ABC"),
        (["A", "AB", "ABC", "A", "AB"], "ABC"),
    ],
)
def test_no_event_is_lost_while_releases_run_side_by_side(releases, heard):
    assert started({}, *releases) == set(heard)


@pytest.mark.parametrize("there", ["null", "[]", "nonsense", '{"on": []}', '["A"]' + " " * 2**20])
def test_who_starts_where_nobody_listens_is_heard_whatever_was_there(there):
    assert started({"listener/a": there, "superseded/a": '[["B"]]'}, "B") == {"B"}


@pytest.mark.parametrize("there", ["null", "[1]", '["A"]', "nonsense", "[" * 100_000])
def test_a_history_that_is_none_is_not_believed(there):
    assert started({"listener/a": '["A"]', "superseded/a": there}, "B") == {"B"}


@pytest.mark.parametrize("events", [["A", "B.failed"], [], None])
def test_a_listener_is_read_as_it_was_announced(events):
    assert listeners(listener_document("a", events)) == {"a": tuple(events or ())}
