"""Documents written into a directory, and schemas found in it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from stamp.runtime import directory as module
from stamp.runtime.directory import DirectorySource, StoreDirectory, announce, restore
from stamp.schema.identity import SchemaId
from stamp.schema.release import Origin
from stamp.store.store import Store
from stamp.workflow.announcement import Announcement

from .protocol.broker import SimulatedBroker
from .protocol.clock import Clock

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
ID = SchemaId.of(SCHEMA)
KEY = f"schema/{ID}/a/A.v1.avsc"
TEXT = json.dumps(SCHEMA)
MINE, OTHER = ('{"on":["A"]}', '{"on":["B"]}')


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock.seconds)
    return clock


@pytest.fixture
def broker():
    return SimulatedBroker(keeps=True)


@pytest.fixture(params=["broker", "store"])
def target(request, broker):
    if request.param == "broker":
        yield broker.directory("shop")
    else:
        with Store.open("sqlite://") as store:
            yield StoreDirectory(store, "shop", lambda: 7)


OTHER_PROSE = json.dumps(SCHEMA | {"doc": "another text"})


@pytest.mark.parametrize(
    ("there", "announced", "restored"),
    [
        ({}, True, True),
        ({"contract/a/step.json": MINE, KEY: TEXT, "listener/a": '["A"]'}, False, False),
        ({"contract/a/step.json": OTHER, KEY: TEXT, "listener/a": '["A"]'}, True, False),
        ({"contract/a/step.json": MINE, KEY: OTHER_PROSE, "listener/a": '["A"]'}, False, False),
        ({"contract/a/step.json": MINE, KEY: "no schema", "listener/a": '["A"]'}, True, True),
        ({"contract/a/step.json": MINE, KEY: TEXT, "listener/a": '["B"]'}, True, False),
        ({"contract/a/step.json": MINE, KEY: TEXT, "listener/a": "null"}, True, True),
        ({"contract/a/step.json": MINE, KEY: TEXT, "listener/a": "abc"}, True, True),
        ({"contract/a/step.json": "{", KEY: TEXT, "listener/a": '["A"]'}, True, True),
        ({"contract/a/step.json": "[]", KEY: TEXT, "listener/a": '["A"]'}, True, True),
        ({"contract/a/step.json": "null", KEY: TEXT, "listener/a": '["A"]'}, True, True),
    ],
)
def test_only_what_is_missing_or_differs_is_written(target, there, announced, restored):
    own = {"contract/a/step.json": MINE, KEY: TEXT, "listener/a": '["A"]'}
    for write, writes in ((restore, restored), (announce, announced)):
        target.write(there)
        before = target.read()
        after = write(target, Announcement(own))
        assert target.read() == after
        assert (after != before) is writes
        target.write(dict.fromkeys(own, "reset"))


def test_documents_of_others_stay(target):
    target.write({"contract/b/step.json": OTHER})
    announce(target, Announcement({"contract/a/step.json": MINE}))
    assert target.read() == {"contract/b/step.json": OTHER, "contract/a/step.json": MINE}


def version(number: int, *fields: str) -> tuple[str, str]:
    schema = {"type": "record", "name": "A", "fields": [{"name": name, "type": "int"} for name in fields]}
    return f"schema/{SchemaId.of(schema)}/a/A.v{number}.avsc", json.dumps(schema)


def numbers(documents):
    """Return the numbers of the versions in a directory, by their fields."""
    return {
        "".join(field["name"] for field in json.loads(text)["fields"]): int(
            key.rpartition(".v")[2].removesuffix(".avsc")
        )
        for key, text in documents.items()
        if key.startswith("schema/")
    }


@pytest.mark.parametrize(
    ("there", "own", "then"),
    [
        ([version(1, "x")], [version(1, "y")], {"x": 1, "y": 2}),
        ([version(1, "x"), version(2, "y")], [version(1, "y")], {"x": 1, "y": 2}),
        ([version(1, "x"), version(2, "y")], [version(1, "z")], {"x": 1, "y": 2, "z": 3}),
        ([version(1, "x")], [version(1, "y"), version(2, "z")], {"x": 1, "z": 2, "y": 3}),
        ([version(1, "x"), version(2, "w")], [version(1, "y"), version(2, "z")], {"x": 1, "w": 2, "y": 3, "z": 4}),
        ([version(1, "x")], [version(1, "x"), version(2, "y")], {"x": 1, "y": 2}),
    ],
)
@pytest.mark.parametrize("write", [announce, restore])
def test_a_version_whose_number_is_taken_gets_the_next_free_one(target, there, own, then, write):
    target.write(dict(there))
    for _ in range(2):
        write(target, Announcement(dict(own)))
        found = target.read()
        assert numbers(found) == then
        assert len(found) == len(then)


def test_what_step_json_says_of_a_version_follows_its_number(target):
    target.write(dict([version(1, "x")]))
    said = {"retired": {"A.v1": "2026-01-01", "A.v7": "2026-01-01"}, "constraints": {"A": 1, "B": 1}}
    announce(target, Announcement(dict([version(1, "y"), ("contract/a/step.json", json.dumps(said))])))
    assert json.loads(target.read()["contract/a/step.json"]) == {
        "retired": {"A.v2": "2026-01-01", "A.v7": "2026-01-01"},
        "constraints": {"A": 2, "B": 1},
    }


def test_a_released_file_under_the_number_of_another_schema_is_told(target, caplog):
    (there, _), (mine, text) = version(1, "x"), version(1, "y")
    target.write(dict([version(1, "x")]))
    with caplog.at_level(logging.WARNING):
        announce(target, Announcement({mine: text}))
    assert not caplog.text
    with caplog.at_level(logging.WARNING):
        announce(target, Announcement({mine: text}, {mine: Path("schemas/shop/a/A.v1.avsc")}))
    for said in ("schemas/shop/a/A.v1.avsc", there.split("/")[1], mine.split("/")[1], "announced as A.v2"):
        assert said in caplog.text


def test_a_document_that_is_no_schema_takes_no_number(target):
    target.write({f"schema/{'0' * 32}/a/A.v1.avsc": TEXT})
    announce(target, Announcement({KEY: TEXT}))
    assert target.read()[KEY] == TEXT


def test_the_version_changes_with_what_is_written(target):
    before = target.version()
    target.write({"contract/a/step.json": MINE})
    assert target.version() != before
    assert target.version() == target.version()


def test_a_schema_is_found_and_handed_on(broker, clock):
    kept = {}
    broker.documents |= {KEY: TEXT, "contract/a/step.json": "{}"}
    source = DirectorySource(lambda: broker.directory("shop"), "shop", keep=kept.update)

    found = source.lookup(ID)

    assert found is not None
    assert (found.schema, found.origins) == (SCHEMA, (Origin("shop", "a", "A", 1),))
    assert kept == {KEY: TEXT}


def test_a_directory_is_read_at_most_once_a_second(broker, clock):
    source = DirectorySource(lambda: broker.directory("shop"), "shop")
    assert source.lookup(ID) is None
    broker.documents |= {KEY: TEXT}
    assert source.lookup(ID) is None

    clock.sleep(1)

    assert source.lookup(ID) is not None
    broker.documents.clear()
    assert source.lookup(ID) is not None
