"""Which two schemas did not fit together."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import pytest
from pydantic import BaseModel

from stamp import Envelope, Fail, Failure, From, Workflow
from stamp.envelope.envelope import FAILURE_ID
from stamp.errors import DecodeError, ResolutionError, StampError, UnknownSchemaError, WireError, WorkflowError
from stamp.runtime.misfit import misfit
from stamp.workflow import export


class Ticket(BaseModel):
    text: str


class Seen(BaseModel):
    """A view of a ticket that needs more than there was at first."""

    text: str
    priority: int


class Text(BaseModel):
    text: str


class Answer(BaseModel):
    text: str


def desk(contracts="/nowhere", first=Ticket, view=Text):
    workflow = Workflow("desk", contracts=contracts)
    workflow.starts("ticket", first, emits="Created")

    def answer(ticket: view) -> Answer:
        raise AssertionError

    answer.__annotations__["ticket"] = view
    workflow.step(on="Created", emits="Answered", name="answer")(answer)
    return workflow


def failing(workflow, body):
    """Return what the step raises at an event, and which schemas did not fit."""
    with pytest.raises(StampError) as caught:
        workflow.process("answer", body)
    return caught.value, misfit(workflow, workflow.steps["answer"], body, caught.value)


def id_of(model):
    return desk(first=model).steps["ticket"].emissions[model].schema_id.hex()


def created(workflow=None, ticket=None):
    return (workflow or desk()).start(ticket or Ticket(text="help"), workflow_id="1").body


def test_a_view_that_cannot_read_what_was_written_is_named_with_its_writer():
    workflow = desk(view=Seen)

    error, found = failing(workflow, created())

    assert isinstance(error, ResolutionError)
    assert found == (f"{id_of(Ticket)} (ticket)", "Seen (answer)")


def test_the_version_is_told_if_the_catalog_knows_it(tmp_path):
    export(desk(), tmp_path)
    workflow = desk(tmp_path, view=Seen)

    assert failing(workflow, created())[1] == (f"{id_of(Ticket)} (ticket v1)", "Seen (answer)")


def test_an_unknown_schema_is_told_by_its_id():
    class Later(BaseModel):
        text: str
        color: str

    error, found = failing(desk(), created(desk(first=Later), Later(text="help", color="red")))

    assert isinstance(error, UnknownSchemaError)
    assert found == (f"{id_of(Later)} (ticket)", "Text (answer)")


def test_bytes_that_do_not_fit_their_schema_are_told_with_it():
    body = created()
    [written] = Envelope.from_bytes(body).contributions
    header = Envelope.begin("desk", "1", started_at=0)
    broken = bytes(header.append(replace(written, payload=b"\xff")))

    error, found = failing(desk(), broken)

    assert isinstance(error, DecodeError)
    assert found == (f"{id_of(Ticket)} (ticket)", "Text (answer)")


def test_of_a_failure_the_view_of_failures_is_told():
    workflow = desk()

    @workflow.step(on="Created", emits="Checked")
    def check(ticket: Text) -> Answer:
        raise Fail("no")

    @workflow.step(on="check.failed", emits="Apologized")
    def apology(check: Answer | None, failed: Annotated[Failure, From("check")]) -> Answer:
        raise AssertionError

    [failed] = workflow.process("check", created())
    first, second = Envelope.from_bytes(failed.body).contributions
    header = Envelope.begin("desk", "1", started_at=0)
    broken = bytes(header.append(first).append(replace(second, payload=b"")))

    found = misfit(workflow, workflow.steps["apology"], broken, DecodeError("no", path="check"))

    assert found == (f"{FAILURE_ID.hex()} (check)", "Failure (apology)")


@pytest.mark.parametrize(
    "error", [ValueError("no"), WorkflowError("no", path="ticket"), WireError("no", path="ticket")]
)
def test_other_errors_are_about_no_schemas(error):
    workflow = desk(view=Seen)

    assert misfit(workflow, workflow.steps["answer"], created(), error) is None


@pytest.mark.parametrize("path", [None, "billing", "tick", "ticketing.text"])
def test_an_error_of_something_else_that_a_handler_read_is_about_no_view_of_the_step(path):
    workflow = desk(view=Seen)

    assert misfit(workflow, workflow.steps["answer"], created(), ResolutionError("no", path=path)) is None


def test_an_error_of_a_view_that_fits_is_about_none():
    workflow = desk()

    assert misfit(workflow, workflow.steps["answer"], created(), ResolutionError("no", path="ticket.text")) is None


def test_what_is_no_envelope_has_no_views():
    workflow = desk()

    assert misfit(workflow, workflow.steps["answer"], b"hello", DecodeError("no", path="ticket")) is None
