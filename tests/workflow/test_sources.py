"""Schemas that a workflow learns while it runs."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import BaseModel

from stamp import Envelope, Workflow
from stamp.errors import StampError, UnknownSchemaError
from stamp.schema.identity import SchemaId
from stamp.schema.source import FolderSource, Found
from stamp.workflow import export


class View(BaseModel):
    x: int


class Done(BaseModel):
    y: int


def writer(folder, *, wider):
    class A(BaseModel):
        x: int

    class Wider(A):
        note: str = ""

    Wider.__name__ = "A"
    workflow = Workflow("multi", contracts=folder)
    workflow.starts("a", Wider if wider else A, emits="Aed")
    return workflow, (Wider if wider else A)


def reader(folder):
    workflow = Workflow("multi", contracts=folder)

    @workflow.step(on="Aed", emits="Bed")
    def b(a: View) -> Done:
        return Done(y=a.x)

    return workflow


@pytest.fixture
def newer(tmp_path):
    """Return the folder of a reader, and an event that was written with a schema that it does not hold."""
    folder = tmp_path / "readers"
    export(writer(folder, wider=False)[0])
    workflow, model = writer(tmp_path / "writers", wider=True)
    return folder, workflow, workflow.start(model(x=3), workflow_id="1").body


def schema_of(workflow):
    [emission] = workflow.steps["a"].emissions.values()
    return emission.schema_id, emission.binding.schema


class Fixed:
    """A source of fixed answers, which are counted."""

    def __init__(self, found=None):
        self.found, self.asked = found, []

    def lookup(self, schema_id):
        self.asked.append(schema_id)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_a_file_that_is_put_into_the_folder_is_read_without_a_restart(newer):
    folder, workflow, body = newer
    running = reader(folder)
    with pytest.raises(UnknownSchemaError) as raised:
        running.process("b", body)
    assert raised.value.schema_id == schema_of(workflow)[0]

    file = folder / "multi" / "a" / "A.v2.avsc"
    file.write_text(json.dumps(schema_of(workflow)[1]))
    later = reader(folder)  # a folder is read at most once a second, so another one that has not been asked
    later.catalog  # noqa: B018 - read before the file was there, as a running service has
    file.rename(folder / "A.v2.avsc")
    later.reload()
    assert schema_of(workflow)[0] not in later.catalog
    (folder / "A.v2.avsc").rename(file)
    [answer] = later.process("b", body)
    assert answer.event == "Bed"


def test_a_folder_is_read_at_most_once_a_second(newer):
    folder, workflow, _ = newer
    now = 0.0
    source = FolderSource(folder, workflow="multi", clock=lambda: now)
    id_, schema = schema_of(workflow)
    assert source.lookup(id_) is None

    (folder / "multi" / "a" / "A.v2.avsc").write_text(json.dumps(schema))
    assert source.lookup(id_) is None
    now = 1.0
    found = source.lookup(id_)
    assert found is not None
    assert [(origin.step, origin.version) for origin in found.origins] == [("a", 2)]


def test_the_sources_are_asked_in_their_order_and_only_when_an_id_is_unknown(newer):
    folder, workflow, body = newer
    id_, schema = schema_of(workflow)
    first, second, third = Fixed(), Fixed(Found(schema)), Fixed()
    running = reader(folder).with_sources(first, second, third)

    for _ in range(2):
        assert [each.event for each in running.process("b", body)] == ["Bed"]

    assert (first.asked, second.asked, third.asked) == ([id_], [id_], [])
    assert Envelope.from_bytes(body, catalog=running.catalog).state() == {"x": 3, "note": ""}


OTHER = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}


@pytest.mark.parametrize("found", [Found(OTHER), Found({"type": "record"}), Found("nothing"), StampError("is gone")])
def test_a_source_that_cannot_be_trusted_is_passed_over(newer, found, caplog):
    folder, workflow, body = newer
    running = reader(folder).with_sources(Fixed(found))
    with caplog.at_level(logging.WARNING), pytest.raises(UnknownSchemaError):
        running.process("b", body)
    assert "Fixed" in caplog.text

    healthy = running.with_sources(Fixed(Found(schema_of(workflow)[1])))
    assert [each.event for each in healthy.process("b", body)] == ["Bed"]


def test_an_id_is_known_wherever_it_is_looked_for_once_it_was_learned(newer):
    folder, workflow, _ = newer
    id_, schema = schema_of(workflow)
    running = reader(folder).with_sources(Fixed(Found(schema)))
    assert running.learn(id_)
    assert running.learn(id_)
    assert id_ in running.catalog
    assert not running.learn(SchemaId(bytes(16)))


def test_who_learns_at_the_same_time_as_others_does_not_go_on_with_the_catalog_of_before(newer):
    folder, workflow, body = newer
    id_, schema = schema_of(workflow)
    running = reader(folder).with_sources(Fixed(Found(schema)))
    before = running._agreed()
    assert running.learn(id_)
    running._terms = before

    assert [each.event for each in running.process("b", body)] == ["Bed"]
