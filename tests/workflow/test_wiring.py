"""What shows only when all steps of a workflow are seen together: mistakes (`Workflow.check`), and what may come later (`unresolved`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from stamp import Failure, From, Workflow
from stamp.errors import ContractError, WorkflowError
from stamp.workflow import export


class Ticket(BaseModel):
    text: str
    count: int = 0


class Text(BaseModel):
    text: str


class Longer(BaseModel):
    text: str
    length: int


class Count(BaseModel):
    count: str


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


class Coloured(BaseModel):
    text: str
    colour: Colour = Colour.RED


class Rejected(BaseModel):
    reason: str


class Reason(BaseModel):
    reason: str


def answering(ticket: Text) -> Text:
    return ticket


def reading_nobody(tickt: Text) -> Text:
    return tickt


def reading_more(ticket: Longer) -> Text:
    return Text(text="")


def reading_otherwise(ticket: Count) -> Text:
    return Text(text="")


def reading_a_reason(ticket: Reason | None) -> Text:
    return Text(text="")


def reading_itself(loop: Text | None) -> Text:
    return Text(text="")


def reading_with_default(ticket: Coloured) -> Text:
    return Text(text="")


def reading_a_failure(ticket: Failure) -> Text:
    return Text(text="")


def reading_silence(silent: Text) -> Text:
    return Text(text="")


def saying_nothing(ticket: Text) -> None:
    pass


def a_workflow(**named: Any) -> Workflow:
    workflow = Workflow("ticket", **({"contracts": "/nonexistent"} | named))
    workflow.starts("ticket", Ticket, emits="TicketCreated")
    return workflow


def defined(*steps: tuple[Callable[..., Any], dict[str, Any]]) -> Workflow:
    workflow = a_workflow()
    for function, said in steps:
        workflow.step(**said)(function)
    return workflow


USUAL: dict[str, Any] = {"on": "TicketCreated", "emits": "Answered"}

WRONG: list[tuple[list[tuple[Callable[..., Any], dict[str, Any]]], str]] = [
    (
        [(reading_more, USUAL)],
        (
            "the view Longer of the parameter `ticket` can read nothing that the step 'ticket' writes: "
            r"ticket\.ticket\.Ticket: length: record .* does not have this field, and it has no default"
        ),
    ),
    ([(reading_otherwise, USUAL)], r"ticket\.ticket\.Ticket: count: long cannot be read as string"),
    ([(reading_a_reason, USUAL)], r"can read nothing that the step 'ticket' writes"),
    ([(saying_nothing, {"on": "TicketCreated", "name": "silent"}), (reading_silence, USUAL)], "it writes nothing"),
    ([(reading_a_failure, USUAL)], "reads a failure of 'ticket', which starts runs and cannot fail"),
]

UNRESOLVED: list[tuple[list[tuple[Callable[..., Any], dict[str, Any]]], str]] = [
    (
        [(reading_nobody, USUAL)],
        (
            "the view Text of the parameter `tickt` reads the step 'tickt', which nobody declares: known are ticket, .*"
            r"Name the step with `Annotated\[Text, From\(\"step\"\)\]`, or add the contract of its service"
        ),
    ),
    (
        [(answering, {"on": "TicketMade", "emits": "Answered"})],
        "listens to 'TicketMade', which nobody publishes: published are Answered, TicketCreated, answering.failed",
    ),
    (
        [
            (answering, {"on": "B", "emits": "A", "name": "one"}),
            (answering, {"on": "A", "emits": "B", "name": "two"}),
        ],
        "one: listens to 'B', which two would publish, but no starting step leads there",
    ),
    (
        [(answering, {"on": ["TicketCreated", "TicketMade"], "emits": "Answered"})],
        "listens to 'TicketMade', which nobody publishes",
    ),
]


@pytest.mark.parametrize(("steps", "text"), WRONG)
def test_what_contradicts_itself_is_an_error_with_the_place_of_the_function(
    steps: list[tuple[Callable[..., Any], dict[str, Any]]], text: str
) -> None:
    workflow = defined(*steps)

    with pytest.raises(WorkflowError, match=text) as caught:
        workflow.check()

    lines = [inspect.getsourcelines(function)[1] for function, _ in steps]
    assert caught.value.file == __file__
    assert caught.value.line in lines
    assert caught.value.path in workflow.steps


@pytest.mark.parametrize(("steps", "text"), UNRESOLVED)
def test_what_may_come_later_is_no_error_and_told_with_the_place_of_the_function(
    steps: list[tuple[Callable[..., Any], dict[str, Any]]], text: str
) -> None:
    workflow = defined(*steps)

    workflow.check()
    first = workflow.unresolved()[0]

    assert re.search(text, str(first))
    assert first.file == __file__
    assert first.line in [inspect.getsourcelines(function)[1] for function, _ in steps]
    assert first.path in workflow.steps


RIGHT: list[list[tuple[Callable[..., Any], dict[str, Any]]]] = [
    [],
    [(answering, USUAL)],
    [(reading_with_default, USUAL)],
    [(reading_itself, {"on": ["TicketCreated", "Again"], "emits": "Again", "name": "loop"})],
    [(answering, USUAL), (answering, {"on": "answering.failed", "emits": "Sorry", "name": "sorry"})],
    [(saying_nothing, {"on": "TicketCreated"})],
]


@pytest.mark.parametrize("steps", RIGHT)
def test_what_hangs_together_is_accepted(steps: list[tuple[Callable[..., Any], dict[str, Any]]]) -> None:
    workflow = defined(*steps)
    workflow.check()
    assert workflow.unresolved() == []


def test_a_view_needs_to_read_one_of_several_outcomes() -> None:
    workflow = a_workflow()

    @workflow.step(on="TicketCreated", emits={Text: "Accepted", Rejected: "TicketRejected"})
    def validation(ticket: Text) -> Text | Rejected:
        return ticket

    @workflow.step(on="TicketRejected", emits="Answered")
    def answer(validation: Reason) -> Text:
        return Text(text="")

    workflow.check()

    @workflow.step(on="Accepted", emits="Counted")
    def count(validation: Count) -> Text:
        return Text(text="")

    with pytest.raises(WorkflowError, match=r"validation\.Text: count: .*; ticket\.validation\.Rejected: count: "):
        workflow.check()


def test_a_workflow_without_a_start_leads_nowhere() -> None:
    workflow = Workflow("ticket", contracts="/nonexistent")
    workflow.step(**USUAL)(reading_itself)

    found, _ = workflow.unresolved()
    assert "listens to 'TicketCreated', which nobody publishes" in str(found)


class TestWithContracts:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        workflow = a_workflow()
        workflow.step(**USUAL, name="answer")(answering)
        export(workflow, tmp_path)
        return tmp_path

    def alone(self, folder: Path, function: Callable[..., Any], **said: Any) -> Workflow:
        workflow = Workflow("ticket", contracts=folder)
        workflow.step(**({"on": "Answered", "emits": "Done"} | said))(function)
        return workflow

    def test_the_others_are_known_by_their_contracts(self, folder: Path) -> None:
        self.alone(folder, answering).check()

    @pytest.mark.parametrize(
        ("function", "said", "text"),
        [
            (reading_nobody, {}, r"which nobody declares: known are reading_nobody, answer, ticket\."),
            (answering, {"on": "Answerd"}, r"'Answerd', which nobody publishes: published are Answered, Done, Ticket"),
        ],
    )
    def test_what_the_contracts_do_not_have_is_told(
        self, folder: Path, function: Callable[..., Any], said: dict[str, Any], text: str
    ) -> None:
        workflow = self.alone(folder, function, **said)
        workflow.check()
        assert re.search(text, str(workflow.unresolved()[0]))

    def test_mistakes_show_against_contracts_too(self, folder: Path) -> None:
        with pytest.raises(WorkflowError, match=r"ticket\.ticket\.Ticket: length: "):
            self.alone(folder, reading_more).check()

    def test_an_event_of_success_is_no_failure_of_another_service(self, folder: Path) -> None:
        with pytest.raises(WorkflowError, match=r"got 'answer\.failed', with which answer fails"):
            self.alone(folder, answering, emits="answer.failed").check()

    def test_code_goes_before_the_contract_of_the_same_step(self, folder: Path) -> None:
        workflow = Workflow("ticket", contracts=folder)
        workflow.starts("ticket", Longer, emits="TicketMade")
        workflow.step(on="TicketMade", emits="Answered", name="answer")(reading_more)

        workflow.check()

    def test_own_contracts_that_are_broken_do_not_matter(self, folder: Path) -> None:
        (folder / "ticket/ticket/step.json").write_text("{")
        workflow = a_workflow(contracts=folder)

        workflow.check()
        with pytest.raises(Exception, match="expected JSON"):
            self.alone(folder, answering).check()

    def test_contracts_are_read_as_they_are_now(self, tmp_path: Path) -> None:
        workflow = self.alone(tmp_path, answering)
        assert len(workflow.unresolved()) == 2

        others = a_workflow()
        others.step(**USUAL, name="answer")(answering)
        export(others, tmp_path)

        assert workflow.unresolved() == []

    def test_a_folder_that_is_not_in_order_is_an_error(self, folder: Path) -> None:
        (folder / "ticket/answer/Text.v1.avsc").rename(folder / "ticket/answer/Text.v2.avsc")

        with pytest.raises(ContractError, match=r"expected Text\.v1\.avsc before this one, got a gap"):
            self.alone(folder, answering).check()


def test_views_are_named_by_from(tmp_path: Path) -> None:
    workflow = a_workflow(contracts=tmp_path)

    @workflow.step(on="TicketCreated", emits="Answered")
    def answer(seen: Annotated[Text, From("nobody")]) -> Text:
        return seen

    (found,) = workflow.unresolved()
    assert "of the parameter `seen` reads the step 'nobody'" in str(found)
