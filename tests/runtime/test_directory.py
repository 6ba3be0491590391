"""Documents written into a directory, and schemas found in it."""

from __future__ import annotations

import json

import pytest

from stamp.runtime import directory as module
from stamp.runtime.directory import DirectorySource, StoreDirectory, announce, restore
from stamp.schema.identity import SchemaId
from stamp.schema.release import Origin
from stamp.store.store import Store

from .protocol.broker import SimulatedBroker
from .protocol.clock import Clock

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
ID = SchemaId.of(SCHEMA)
KEY = f"schema/{ID}/a/A.v1.avsc"
TEXT = json.dumps(SCHEMA)


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
        ({"contract/a/step.json": "mine", KEY: TEXT, "listener/a": '["A"]'}, False, False),
        ({"contract/a/step.json": "other", KEY: TEXT, "listener/a": '["A"]'}, True, False),
        ({"contract/a/step.json": "mine", KEY: OTHER_PROSE, "listener/a": '["A"]'}, False, False),
        ({"contract/a/step.json": "mine", KEY: "no schema", "listener/a": '["A"]'}, True, True),
        ({"contract/a/step.json": "mine", KEY: TEXT, "listener/a": '["B"]'}, True, False),
        ({"contract/a/step.json": "mine", KEY: TEXT, "listener/a": "null"}, True, True),
        ({"contract/a/step.json": "null", KEY: TEXT, "listener/a": '["A"]'}, True, True),
    ],
)
def test_only_what_is_missing_or_differs_is_written(target, there, announced, restored):
    own = {"contract/a/step.json": "mine", KEY: TEXT, "listener/a": '["A"]'}
    for write, writes in ((restore, restored), (announce, announced)):
        target.write(there)
        before = target.read()
        after = write(target, own)
        assert target.read() == after
        assert (after != before) is writes
        target.write(dict.fromkeys(own, "reset"))


def test_documents_of_others_stay(target):
    target.write({"contract/b/step.json": "theirs"})
    announce(target, {"contract/a/step.json": "mine"})
    assert target.read() == {"contract/b/step.json": "theirs", "contract/a/step.json": "mine"}


def test_the_version_changes_with_what_is_written(target):
    before = target.version()
    target.write({"contract/a/step.json": "mine"})
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
