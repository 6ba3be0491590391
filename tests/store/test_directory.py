"""Documents that services leave for each other in a database."""

from __future__ import annotations

from stamp.store import directory
from stamp.store.directory import Document


def test_what_is_written_is_read_by_whoever_asks_for_that_workflow(store):
    with store.begin() as tx:
        directory.write(tx, "ticket", {"contract/billing": "{}", "listener/billing": "[]"}, now=7)
        directory.write(tx, "other", {"contract/billing": "of another workflow"}, now=8)

    with store.read() as connection:
        assert directory.read(connection, "ticket") == {
            "contract/billing": Document("{}", 7),
            "listener/billing": Document("[]", 7),
        }
        assert directory.texts(connection, "other", prefix="contract/") == {"contract/billing": "of another workflow"}
        assert directory.texts(connection, "ticket", prefix="contract/survey") == {}


def test_a_prefix_selects_whole_keys_whatever_their_letters(store):
    keys = ("listener", "listener/A", "listener/a", "listener/~", "listenerz/a", "LISTENER/a")
    with store.begin() as tx:
        directory.write(tx, "ticket", dict.fromkeys(keys, ""), now=1)

    with store.read() as connection:
        assert list(directory.read(connection, "ticket", prefix="listener/")) == [
            "listener/A",
            "listener/a",
            "listener/~",
        ]


def test_a_later_document_takes_the_place_of_an_earlier_one(store):
    with store.begin() as tx:
        directory.write(tx, "ticket", {"a": "first", "b": "stays"}, now=1)
        directory.write(tx, "ticket", {"a": "second"}, now=2)
        directory.touch(tx, "ticket", ["b", "c"], now=3)

    with store.read() as connection:
        assert directory.read(connection, "ticket") == {"a": Document("second", 2), "b": Document("stays", 3)}


def test_workflows_with_documents_are_known(store):
    with store.begin() as tx:
        directory.write(tx, "ticket", {"a": "", "b": ""}, now=1)
        directory.write(tx, "order", {"a": ""}, now=1)

    with store.read() as connection:
        assert directory.workflows(connection) == ["order", "ticket"]
