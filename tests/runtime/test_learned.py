"""Schemas that are found at a broker get into the store of who has found them."""

from __future__ import annotations

import json

import pytest

from stamp import Workflow
from stamp.errors import StoreError
from stamp.runtime.learned import Learned
from stamp.runtime.staff import sources_of
from stamp.schema.identity import SchemaId
from stamp.store import directory
from stamp.store.store import Store

from .protocol.broker import SimulatedBroker

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]}
ID = SchemaId.of(SCHEMA)
KEY = f"schema/{ID}/a/A.v1.avsc"


def test_one_is_found_within_a_transaction_of_the_store_and_kept_after_it(tmp_path):
    broker, workflow = SimulatedBroker(keeps=True), Workflow("shop", contracts=tmp_path)
    broker.documents[KEY] = json.dumps(SCHEMA)
    with Store.open(f"sqlite:///{tmp_path}/shop.db") as store:
        sources = sources_of(workflow, broker, store)
        with store.begin() as tx:  # SQLite has no second writer
            assert workflow.with_sources(*sources.places).learn(ID)
            assert not directory.read(tx, "shop")

        sources.learned.turn()

        with store.read() as connection:
            assert directory.read(connection, "shop").keys() == {KEY}


class Target:
    """Keeps documents, unless it is gone."""

    def __init__(self):
        self.is_gone, self.written = True, []

    def write(self, documents):
        if self.is_gone:
            raise StoreError("gone")
        self.written.append(documents)


def test_what_could_not_be_kept_is_kept_later_and_once():
    target = Target()
    learned = Learned(target)
    learned.note({KEY: "text"})
    with pytest.raises(StoreError):
        learned.turn()
    target.is_gone = False
    learned.turn()
    learned.turn()
    assert target.written == [{KEY: "text"}]
