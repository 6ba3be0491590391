"""What the code of a workflow says that its contracts do not."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from stamp import Workflow
from stamp.ripple import read_folder, ripple
from stamp.ripple.pending import pending
from stamp.workflow import export


class Ticket(BaseModel):
    text: str


class Validated(BaseModel):
    priority: str


class MoreValidated(BaseModel):
    __avro__ = {"name": "Validated"}

    priority: str
    team: str


def workflow(folder, written):
    made = Workflow("ticket", contracts=folder)
    made.starts("ticket", Ticket, emits="TicketCreated")

    def validation(ticket):
        raise NotImplementedError

    validation.__annotations__ = {"ticket": Ticket, "return": written}
    made.step(on="TicketCreated", emits="TicketValidated", ends="TicketValidated")(validation)
    return made


@pytest.fixture
def schemas(tmp_path):
    export(workflow(tmp_path, Validated))
    return tmp_path


def findings(folder, written, today):
    return [
        (impact.finding.rule, impact.producer, impact.finding.message)
        for impact in ripple(
            read_folder(folder), today=today, pending=pending(workflow(folder, written), folder)
        ).impacts
    ]


def test_after_an_export_nothing_is(schemas, today):
    assert findings(schemas, Validated, today) == []


def test_a_changed_model_is_a_version_to_be_released(schemas, today):
    assert findings(schemas, MoreValidated, today) == [
        (
            "contract-behind-code",
            "validation",
            "validation: Validated.v2.avsc is missing, for what the code says now: run `stamp export`",
        )
    ]


def test_what_was_changed_by_hand_is_told(schemas, today):
    (schemas / "ticket/validation/reads/ticket.avsc").write_text(
        (schemas / "ticket/validation/reads/ticket.avsc").read_text().replace("string", "bytes")
    )
    assert ("contract-behind-code", "validation") in [each[:2] for each in findings(schemas, Validated, today)]


def test_nothing_is_written(schemas):
    before = {path: path.read_bytes() for path in schemas.rglob("*.*")}
    pending(workflow(schemas, MoreValidated), schemas)
    assert {path: path.read_bytes() for path in schemas.rglob("*.*")} == before
