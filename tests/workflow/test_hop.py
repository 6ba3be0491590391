"""One hop: bytes in, the declared views, the handler, bytes out."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stamp import Contribution, Envelope, Fail, Failure, From, Limits, Outcome, Outgoing, StepContext, Workflow
from stamp.envelope import wire
from stamp.envelope.contribution import event_id
from stamp.errors import (
    EncodeError,
    HandlerError,
    LimitError,
    MissingContributionError,
    ResolutionError,
    StampError,
    UnknownSchemaError,
    WireError,
    WorkflowError,
)
from stamp.schema import SchemaId
from stamp.testing import VirtualClock
from stamp.workflow import export

NOON = 1_767_268_800_000_000
"""2026-01-01T12:00:00Z in microseconds since 1970."""


class Ticket(BaseModel):
    ticket_id: str
    text: str = ""


class Text(BaseModel):
    """A view."""

    text: str


class Validated(BaseModel):
    priority: str


class Rejected(BaseModel):
    reason: str


class Answer(BaseModel):
    text: str


def a_workflow(**named: Any) -> Workflow:
    """A workflow that writes down what its handlers are called with, in `seen`."""
    workflow = Workflow("ticket", contracts="/nonexistent", **({"clock": lambda: NOON} | named))
    workflow.starts("ticket", Ticket, emits="TicketCreated")
    return workflow


def created(workflow: Workflow, text: str = "hello", **named: Any) -> Outgoing:
    return workflow.start(Ticket(ticket_id="T-1", text=text), **({"workflow_id": "4729"} | named))


def only(outgoing: list[Outgoing]) -> Outgoing:
    (one,) = outgoing
    return one


def opened(workflow: Workflow, outgoing: Outgoing) -> Envelope:
    return Envelope.from_bytes(outgoing.body, catalog=workflow.catalog)


def independent_id(workflow: str, workflow_id: str, step: str, *causes: bytes, event: str = "") -> bytes:
    """The formula of event ids, written down a second time: Avro strings (zigzag length, UTF-8) and bytes, SHA-256, 16 bytes."""

    def sized(data: bytes) -> bytes:
        length, out = len(data) * 2, bytearray()
        while length > 127:
            out.append(length & 127 | 128)
            length >>= 7
        return bytes([*out, length]) + data

    named = step + "\0" + event if event else step
    parts = [sized(text.encode()) for text in (workflow, workflow_id, named)] + [sized(c) for c in sorted(causes)]
    return hashlib.sha256(b"".join(parts)).digest()[:16]


class TestStart:
    def test_is_an_envelope_with_one_contribution(self) -> None:
        workflow = a_workflow()
        first = created(workflow, attributes={"tenant": "acme"})
        envelope = opened(workflow, first)
        (contribution,) = envelope.contributions

        assert (envelope.workflow, envelope.workflow_id, envelope.started_at) == ("ticket", "4729", NOON)
        assert envelope.attributes == {"tenant": "acme"}
        assert (contribution.step, contribution.event, contribution.causes) == ("ticket", "TicketCreated", ())
        assert (contribution.received_at, contribution.completed_at) == (NOON, NOON)
        assert contribution.outcome is Outcome.COMPLETED
        assert envelope.state() == {"ticket_id": "T-1", "text": "hello"}

    def test_has_an_id_by_workflow_run_and_step(self) -> None:
        first = created(a_workflow())

        assert first.headers["ce-id"] == "11466ea2724fcde5249de483742885ff"
        assert bytes.fromhex(first.headers["ce-id"]) == independent_id("ticket", "4729", "ticket")
        assert created(a_workflow(clock=lambda: NOON + 1), "other").headers["ce-id"] == first.headers["ce-id"]
        assert created(a_workflow(), workflow_id="4730").headers["ce-id"] != first.headers["ce-id"]

    @pytest.mark.parametrize(
        ("named", "text"),
        [
            ({"workflow_id": ""}, "workflow_id: expected the id of one run, got an empty text"),
            ({"workflow_id": 4729}, "workflow_id: expected text, got 4729 of type int"),
            ({"workflow_id": None}, "workflow_id: expected text, got None of type NoneType"),
            ({"workflow_id": "\ud800"}, r"workflow_id: expected text that UTF-8 can hold, .*'\\ud800'"),
            ({"attributes": {"tenant": 3}}, "attributes.tenant: expected text, got 3 of type int"),
            ({"attributes": {"tenant": "\udfff"}}, "attributes.tenant: expected text that UTF-8 can hold"),
            ({"attributes": {3: "x"}}, "attributes: expected text, got 3"),
            ({"attributes": {"deadline": "tomorrow"}}, "attributes.deadline: expected an ISO 8601 time .*'tomorrow'"),
            ({"attributes": {"deadline": "2026-01-01T12:00:00"}}, "with its offset from UTC, such as"),
        ],
    )
    def test_refuses_what_no_envelope_can_say(self, named: dict[str, Any], text: str) -> None:
        with pytest.raises(EncodeError, match=text):
            created(a_workflow(), **named)

    def test_refuses_values_that_do_not_fit(self) -> None:
        with pytest.raises(EncodeError, match=r"^Ticket\.text: expected a str, got bytes"):
            a_workflow().start(Ticket.model_construct(ticket_id="T-1", text=b"hello"), workflow_id="4729")

    def test_refuses_what_is_too_large_to_be_read_again(self) -> None:
        with pytest.raises(LimitError, match="expected an envelope of at most 100 bytes, got"):
            created(a_workflow(limits=Limits(message=100)))

    def test_knows_by_the_model_which_step_starts(self) -> None:
        workflow = a_workflow()
        workflow.starts("complaint", Answer, emits="Complained")

        assert workflow.start(Answer(text="!"), workflow_id="1").event == "Complained"
        with pytest.raises(WorkflowError, match=r"\(ticket writes Ticket, complaint writes Answer\), got a Rejected"):
            workflow.start(Rejected(reason=""), workflow_id="1")

    def test_wants_to_know_which_step_where_the_model_does_not_tell(self) -> None:
        workflow = a_workflow()
        workflow.starts("phone", Ticket, emits="Called")

        assert created(workflow, step="phone").event == "Called"
        with pytest.raises(WorkflowError, match=r"expected `step=` to say which .* write a Ticket .*: ticket, phone"):
            created(workflow)
        with pytest.raises(WorkflowError, match=r"a starting step 'fax' writes \(there is none\), got a Ticket"):
            created(workflow, step="fax")

    def test_is_of_starting_steps_only(self) -> None:
        workflow = Workflow("ticket")

        @workflow.step(on="A", emits="B")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="")

        with pytest.raises(WorkflowError, match=r"\(there is none\), got a Validated"):
            workflow.start(Validated(priority=""), workflow_id="1")


class TestHeaders:
    def test_are_cloudevents(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        first = created(workflow)
        assert first.headers == {
            "ce-specversion": "1.0",
            "ce-id": first.headers["ce-id"],
            "ce-type": "TicketCreated",
            "ce-source": "/ticket/ticket",
            "ce-subject": "4729",
            "ce-time": "2026-01-01T12:00:00+00:00",
            "ce-correlationid": "4729",
        }
        second = only(workflow.process("validation", first.body))
        assert second.headers == {
            "ce-specversion": "1.0",
            "ce-id": independent_id("ticket", "4729", "validation", bytes.fromhex(first.headers["ce-id"])).hex(),
            "ce-type": "TicketValidated",
            "ce-source": "/ticket/validation",
            "ce-subject": "4729",
            "ce-time": "2026-01-01T12:00:00+00:00",
            "ce-correlationid": "4729",
            "ce-causationid": first.headers["ce-id"],
        }

    def test_pass_the_trace_context_through_and_nothing_else(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}
        first = created(workflow, attributes=trace | {"tenant": "acme"})
        second = only(workflow.process("validation", first.body))

        for each in (first, second):
            assert {name: each.headers[name] for name in trace} == trace
            assert "tenant" not in str(each.headers)

    def test_do_not_grow(self) -> None:
        workflow = a_workflow()

        @workflow.step(on=["TicketCreated", "Again"], emits="Again")
        def loop(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        event = created(workflow)
        sizes = []
        for _ in range(4):
            event = only(workflow.process("loop", event.body))
            sizes.append(len(json.dumps(dict(event.headers))))
        assert len(set(sizes)) == 1


class TestReads:
    def test_a_handler_gets_its_views_and_nothing_else(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            seen.append(ticket)
            return Validated(priority="HIGH")

        workflow.process("validation", created(workflow).body)

        assert seen == [Text(text="hello")]

    def test_what_comes_is_a_prefix_of_what_goes(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        first = created(workflow)
        second = only(workflow.process("validation", first.body))

        assert second.body.startswith(first.body[:-1])
        assert bytes(opened(workflow, second).at("TicketCreated")) == first.body

    def test_from_names_another_step(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(request: Annotated[Text, From("ticket")]) -> Validated:
            seen.append(request.text)
            return Validated(priority="HIGH")

        workflow.process("validation", created(workflow).body)

        assert seen == ["hello"]

    def test_an_optional_view_is_none_where_the_step_has_not_contributed(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on=["TicketCreated", "TicketValidated"], emits="Answered")
        def answer(ticket: Text, validation: Validated | None) -> Answer:
            seen.append(validation)
            return Answer(text="")

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        first = created(workflow)
        workflow.process("answer", first.body)
        workflow.process("answer", only(workflow.process("validation", first.body)).body)

        assert seen == [None, Validated(priority="HIGH")]

    def test_a_view_that_must_be_there_and_is_not_is_an_error_that_says_what_to_do(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(seen: Annotated[Validated, From("validation")]) -> Answer:
            return Answer(text="")

        with pytest.raises(MissingContributionError, match=r"'validation' .*parameter `seen` as `Validated \| None`"):
            workflow.process("answer", created(workflow).body)

    def test_the_latest_contribution_of_a_step_is_read(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on=["TicketCreated", "Again"], emits="Again")
        def loop(loop: Answer | None) -> Answer:
            seen.append(loop and loop.text)
            return Answer(text=f"{loop.text if loop else ''}x")

        event = created(workflow)
        for _ in range(3):
            event = only(workflow.process("loop", event.body))

        assert seen == [None, "x", "xx"]
        assert [each.step for each in opened(workflow, event).contributions] == ["ticket", "loop", "loop", "loop"]

    def test_what_a_view_refuses_is_an_error_with_the_path(self) -> None:
        class Short(BaseModel):
            text: Annotated[str, Field(max_length=3)]

        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Short) -> Answer:
            return Answer(text="")

        with pytest.raises(ResolutionError, match=r"ticket\.text: the view Short refuses it: .*got ['\"]hello"):
            workflow.process("answer", created(workflow).body)

    def test_a_payload_that_cannot_be_read_does_not_matter_where_it_is_not_read(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on="Other", emits="Answered")
        def answer(ticket: Text) -> Answer:
            seen.append(ticket.text)
            return Answer(text="")

        strange = Contribution(
            step="other",
            schema_id=SchemaId(bytes(range(16))),
            payload=b"\xff" * 9,
            event="Other",
            event_id=bytes(16),
            received_at=NOON,
            completed_at=NOON,
        )
        body = bytes(opened(workflow, created(workflow)).append(strange))
        answered = only(workflow.process("answer", body))

        assert seen == ["hello"]
        assert Envelope.from_bytes(answered.body).contributions[1] == strange

    def test_an_unknown_schema_says_whose_it_is_and_what_to_do(self) -> None:
        class Unread(BaseModel):
            text: str

        workflow, other = a_workflow(), Workflow("ticket", contracts="/nonexistent")

        @other.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Unread) -> Answer:
            return Answer(text="")

        with pytest.raises(UnknownSchemaError, match=r"ticket: .*add the released file ticket/ticket/<Name>.v<N>.avsc"):
            other.process("answer", created(workflow).body)


class TestOutcomes:
    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits={Validated: "TicketValidated", Rejected: "TicketRejected"})
        def validation(ticket: Text) -> Validated | Rejected | None:
            match ticket.text:
                case "":
                    return Rejected(reason="empty")
                case "spam":
                    return None
            return Validated(priority="HIGH")

        return workflow

    @pytest.mark.parametrize(
        ("text", "published"),
        [
            ("hello", [("TicketValidated", {"priority": "HIGH"})]),
            ("", [("TicketRejected", {"reason": "empty"})]),
            ("spam", []),
        ],
    )
    def test_the_model_decides_the_event(self, workflow: Workflow, text: str, published: list[Any]) -> None:
        outs = workflow.process("validation", created(workflow, text).body)

        assert [
            (out.event, opened(workflow, out).data(opened(workflow, out)["validation"])) for out in outs
        ] == published

    def test_none_is_an_answer_only_where_it_is_declared(self, workflow: Workflow) -> None:
        workflow.step(on="TicketCreated", emits="Answered", name="other")(self.maybe)

        assert workflow.process("other", created(workflow).body) == []
        with pytest.raises(HandlerError, match="expected the handler to return Answer or None, got 'spam' of type str"):
            workflow.process("other", created(workflow, "spam").body)

    @staticmethod
    def maybe(ticket: Text) -> Answer | None:
        return "spam" if ticket.text == "spam" else None  # type: ignore[return-value]

    @pytest.mark.parametrize(
        ("result", "text"),
        [
            (None, r"^.*test_hop.py:\d+: answer: expected the handler to return Answer, got None of type NoneType$"),
            ("text", "to return Answer, got 'text' of type str$"),
            ({"text": "hello"}, "to return Answer, got {.*} of type dict$"),
            (Ticket(ticket_id="1"), r"to return Answer, got Ticket\(.*of type Ticket$"),
            (Ticket(ticket_id="1", text="secret" * 99), r"^.{1,200}of type Ticket$"),
            (Answer, "to return Answer, got <class .*of type ModelMetaclass$"),
        ],
    )
    def test_what_is_not_declared_is_an_error(self, result: Any, text: str) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return result  # type: ignore[no-any-return]

        with pytest.raises(HandlerError, match=text):
            workflow.process("answer", created(workflow).body)

    def test_something_for_nothing_is_an_error(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated")
        def answer(ticket: Text) -> None:
            return Answer(text="")  # type: ignore[return-value]

        with pytest.raises(HandlerError, match="expected the handler to return None, got Answer"):
            workflow.process("answer", created(workflow).body)

    def test_a_value_that_does_not_fit_is_an_error_with_the_path(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer.model_construct(text=7)

        with pytest.raises(EncodeError, match=r"^Answer\.text: expected a str, got int 7"):
            workflow.process("answer", created(workflow).body)

    def test_several_events_are_published_each_with_an_id_of_its_own(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits=["Answered", "Archived", "Counted"])
        def answer(ticket: Text) -> Answer:
            return Answer(text="!")

        first = created(workflow)
        outs = workflow.process("answer", first.body)
        cause = bytes.fromhex(first.headers["ce-id"])

        assert [out.event for out in outs] == [out.headers["ce-type"] for out in outs]
        assert [out.event for out in outs] == ["Answered", "Archived", "Counted"]
        assert [bytes.fromhex(out.headers["ce-id"]) for out in outs] == [
            independent_id("ticket", "4729", "answer", cause, event=event)
            for event in ("Answered", "Archived", "Counted")
        ]
        for out in outs:
            envelope = opened(workflow, out)
            assert [each.event for each in envelope.contributions] == ["TicketCreated", out.event]
            assert envelope["answer"].event_id.hex() == out.headers["ce-id"]
            assert envelope.state()["text"] == "!"

    def test_an_exception_comes_out_as_it_is(self) -> None:
        workflow, error = a_workflow(), ConnectionError("no database")

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise error

        with pytest.raises(ConnectionError) as caught:
            workflow.process("answer", created(workflow).body)
        assert caught.value is error


class TestFail:
    def test_publishes_the_failure_event(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise Fail("no expert free", team="blue", tried=3)

        failed = only(workflow.process("answer", created(workflow).body))
        contribution = opened(workflow, failed)["answer"]

        assert failed.event == failed.headers["ce-type"] == contribution.event == "answer.failed"
        assert contribution.outcome is Outcome.FAILED
        assert contribution.attributes == {"error.type": "Fail", "error.message": "no expert free"}
        assert opened(workflow, failed).read("answer", Failure) == Failure(
            type="Fail", message="no expert free", detail={"team": "blue", "tried": "3"}
        )
        assert "message" not in opened(workflow, failed).state(), "what failed is no state"

    def test_has_the_same_id_as_a_success(self) -> None:
        workflow, wants = a_workflow(), [True, False]

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            if wants.pop():
                return Answer(text="")
            raise Fail("no")

        first = created(workflow)
        one, two = (only(workflow.process("answer", first.body)) for _ in range(2))

        assert (one.event, two.event) == ("answer.failed", "Answered")
        assert one.headers["ce-id"] == two.headers["ce-id"], "one work has one result, whichever it is"

    def test_has_an_event_of_the_authors_choice_and_a_type_of_its_own(self) -> None:
        class NoExpert(Fail):
            pass

        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered", fails="NobodyAnswered")
        def answer(ticket: Text) -> Answer:
            raise NoExpert("")

        failed = only(workflow.process("answer", created(workflow).body))

        assert failed.event == "NobodyAnswered"
        assert opened(workflow, failed).read("answer", Failure).type == "NoExpert"

    def test_can_be_read_by_a_later_step(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise Fail("no expert free")

        @workflow.step(on="answer.failed", emits="Apologised")
        def apology(answer: Failure, value: Annotated[Answer | None, From("answer")]) -> Answer:
            seen.append((answer.message, value))
            return Answer(text="sorry")

        failed = only(workflow.process("answer", created(workflow).body))
        apologised = only(workflow.process("apology", failed.body))

        assert seen == [("no expert free", None)]
        assert opened(workflow, apologised).state()["text"] == "sorry"

    def test_of_a_step_that_has_not_failed_is_missing(self) -> None:
        workflow, seen = a_workflow(), []

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer(text="")

        @workflow.step(on="Answered", emits="Apologised")
        def apology(answer: Failure) -> Answer:
            return Answer(text="sorry")

        @workflow.step(on="Answered", emits="Checked")
        def checked(answer: Failure | None) -> Answer:
            seen.append(answer)
            return Answer(text="")

        answered = only(workflow.process("answer", created(workflow).body))
        workflow.process("checked", answered.body)

        assert seen == [None]
        with pytest.raises(MissingContributionError, match="expected a failure of the step 'answer' in the envelope"):
            workflow.process("apology", answered.body)

    def test_is_bounded(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise Fail("x" * 100_000, **{f"d{number}": "y" * 100_000 for number in range(100)})

        failed = only(workflow.process("answer", created(workflow).body))

        assert len(failed.body) < 30_000
        assert len(opened(workflow, failed).read("answer", Failure).detail) == 20

    @pytest.mark.parametrize("length", [1, 1_000, 1_001, 11_999])
    def test_says_why_as_a_whole_where_there_is_room(self, length: int) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise Fail("x" * length)

        failed = opened(workflow, only(workflow.process("answer", created(workflow).body)))
        assert failed.state()["answer.failure"] == {"type": "Fail", "message": "x" * length, "detail": {}}
        assert failed["answer"].attributes["error.message"] == "x" * length

    @given(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(1, 3_000), st.integers(700, 60_000))
    def test_says_why_in_as_many_letters_as_there_is_room_for(self, text: str, times: int, room: int) -> None:
        workflow = a_workflow(limits=Limits(message=room))

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise Fail(text * times)

        failed = only(workflow.process("answer", created(workflow).body))
        said = Envelope.from_bytes(failed.body, catalog=workflow.catalog).read("answer", Failure).message
        assert len(failed.body) <= room
        if said != text * times:
            assert said.endswith("…")
            assert (text * times).startswith(said[:-1])
            assert 2 * len((text * times).encode()) + len(created(workflow).body) > min(room, 24_000) - 300


class TestContext:
    def test_says_what_a_handler_may_want_to_know(self) -> None:
        workflow, seen = a_workflow(), SimpleNamespace()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text, context: StepContext) -> Answer:
            seen.context = context
            return Answer(text="")

        first = created(workflow, attributes={"tenant": "acme", "deadline": "2026-12-31T17:00:00+01:00"})
        answered = only(workflow.process("answer", first.body, attempt=3, received_at=NOON - 5))
        context: StepContext = seen.context

        assert (context.workflow, context.workflow_id, context.step) == ("ticket", "4729", "answer")
        assert (context.event, context.attempt, context.received_at) == ("TicketCreated", 3, NOON - 5)
        assert context.causes == (bytes.fromhex(first.headers["ce-id"]),)
        assert context.event_id.hex() == answered.headers["ce-id"]
        assert context.attributes["tenant"] == "acme"
        assert context.deadline == datetime(2026, 12, 31, 16, tzinfo=UTC)
        assert bytes(context.envelope) == first.body
        assert context.envelope.read("ticket", Ticket).ticket_id == "T-1"
        contribution = opened(workflow, answered)["answer"]
        assert (contribution.received_at, contribution.completed_at) == (NOON - 5, NOON)

    def test_is_the_first_attempt_without_a_deadline_when_nobody_says_otherwise(self) -> None:
        workflow, seen = a_workflow(clock=VirtualClock()), SimpleNamespace()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(context: StepContext) -> Answer:
            seen.context = context
            return Answer(text="")

        first = created(workflow)
        answered = opened(workflow, only(workflow.process("answer", first.body)))["answer"]

        assert (seen.context.attempt, seen.context.deadline) == (1, None)
        assert seen.context.received_at == answered.received_at
        assert answered.completed_at - answered.received_at == 1000, "one tick of the virtual clock"

    @pytest.mark.parametrize("text", ["tomorrow", "2026-12-31T17:00:00", ""])
    def test_a_deadline_that_is_no_time_is_the_senders_fault(self, text: str) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(context: StepContext) -> Answer:
            return Answer(text=str(context.deadline))

        foreign = Envelope.begin("ticket", "1", started_at=NOON, attributes={"deadline": text})
        first = opened(workflow, created(workflow)).contributions[0]

        with pytest.raises(WireError, match=f"attributes.deadline: expected an ISO 8601 time .*, got '{text}'"):
            workflow.process("answer", bytes(foreign.append(first)))


class TestAsync:
    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        async def answer(ticket: Text) -> Answer:
            await asyncio.sleep(0)
            if not ticket.text:
                raise Fail("nothing to answer")
            return Answer(text=ticket.text.upper())

        @workflow.step(on="TicketCreated", emits="Echoed")
        def echo(ticket: Text) -> Answer:
            if not ticket.text:
                raise Fail("nothing to echo")
            return Answer(text=ticket.text)

        return workflow

    @pytest.mark.parametrize(("step", "event"), [("answer", "Answered"), ("echo", "Echoed")])
    @pytest.mark.parametrize("text", ["hello", ""])
    def test_all_ways_lead_to_the_same_bytes(self, workflow: Workflow, step: str, event: str, text: str) -> None:
        first = created(workflow, text)
        here = workflow.process(step, first.body)

        assert only(here).event == (event if text else f"{step}.failed")
        assert asyncio.run(workflow.aprocess(step, first.body)) == here

    def test_an_async_handler_on_a_running_loop_says_what_to_do(self, workflow: Workflow) -> None:
        first = created(workflow)

        async def main() -> None:
            with pytest.raises(WorkflowError, match=r"answer: an async handler .*: await `aprocess` instead") as caught:
                workflow.process("answer", first.body)
            assert caught.value.file == __file__
            assert only(workflow.process("echo", first.body)).event == "Echoed"

        asyncio.run(main())

    def test_several_can_be_under_way(self, workflow: Workflow) -> None:
        async def main() -> list[list[Outgoing]]:
            runs = [created(workflow, str(number), workflow_id=str(number)) for number in range(10)]
            return await asyncio.gather(*(workflow.aprocess("answer", each.body) for each in runs))

        for number, outs in enumerate(asyncio.run(main())):
            assert opened(workflow, only(outs)).state()["text"] == str(number)
            assert outs[0].headers["ce-subject"] == str(number)

    def test_an_exception_comes_out_as_it_is(self) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        async def answer(ticket: Text) -> Answer:
            raise ConnectionError

        with pytest.raises(ConnectionError):
            asyncio.run(workflow.aprocess("answer", created(workflow).body))
        with pytest.raises(ConnectionError):
            workflow.process("answer", created(workflow).body)


class TestRefusals:
    """What comes is not for this step."""

    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on=["TicketCreated", "TicketReopened"], emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise AssertionError("the handler was called")

        return workflow

    @pytest.mark.parametrize(
        ("step", "text"),
        [
            ("anser", r"ticket: expected a step with a handler \(answer\), got 'anser'"),
            ("ticket", r"expected a step with a handler \(answer\), got 'ticket'"),
        ],
    )
    def test_a_step_that_does_no_work(self, workflow: Workflow, step: str, text: str) -> None:
        with pytest.raises(WorkflowError, match=text):
            workflow.process(step, created(workflow).body)

    def test_a_workflow_without_handlers(self) -> None:
        with pytest.raises(WorkflowError, match=r"expected a step with a handler \(none\), got 'answer'"):
            a_workflow().process("answer", b"")

    def test_an_envelope_of_another_workflow(self, workflow: Workflow) -> None:
        other = Workflow("order", contracts="/nonexistent")
        other.starts("ticket", Ticket, emits="TicketCreated")

        with pytest.raises(WorkflowError, match="expected an envelope of the workflow 'ticket', got one of 'order'"):
            workflow.process("answer", created(other).body)

    def test_an_event_that_the_step_does_not_listen_to(self, workflow: Workflow) -> None:
        workflow.starts("phone", Answer, emits="Called")
        called = workflow.start(Answer(text=""), workflow_id="1")

        with pytest.raises(WorkflowError, match="'answer' listens to TicketCreated and TicketReopened, got 'Called'"):
            workflow.process("answer", called.body)

    def test_an_empty_envelope(self, workflow: Workflow) -> None:
        empty = bytes(Envelope.begin("ticket", "4729", started_at=NOON))

        with pytest.raises(WorkflowError, match="expected an event for the step 'answer', got an envelope without any"):
            workflow.process("answer", empty)

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"\xc3\x01" + bytes(8), b"\xc3"], ids=["none", "JSON", "other", "one"]
    )
    def test_what_is_no_envelope(self, workflow: Workflow, body: bytes) -> None:
        with pytest.raises(WireError):
            workflow.process("answer", body)

    @given(st.data())
    def test_every_damage_is_an_error_of_ours(self, data: st.DataObject) -> None:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer(text="")

        body = bytearray(created(workflow).body)
        at = data.draw(st.integers(0, len(body) - 1))
        damaged = data.draw(
            st.one_of(
                st.just(body[:at]),
                st.integers(0, 255).map(lambda byte: body[:at] + bytes([byte]) + body[at + 1 :]),
                st.binary(max_size=4).map(lambda more: body[:at] + more + body[at:]),
            )
        )
        with suppress(StampError):  # anything else fails this test
            workflow.process("answer", bytes(damaged))


class TestLimits:
    def test_of_what_comes(self) -> None:
        workflow = a_workflow()
        first = created(workflow, "x" * 1000)
        small = a_workflow(limits=Limits(message=1000))

        @small.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            raise AssertionError("the handler was called")

        with pytest.raises(LimitError, match="expected at most 1000 bytes, got 1"):
            small.process("answer", first.body)

    @pytest.mark.parametrize(
        ("limits", "text"),
        [
            (Limits(message=1000), "expected an envelope of at most 1000 bytes, got 1"),
            (Limits(contribution=500), "expected a contribution of at most 500 bytes, got 1"),
        ],
    )
    def test_of_what_goes(self, limits: Limits, text: str) -> None:
        workflow = a_workflow(limits=limits)

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer(text="x" * 1000)

        with pytest.raises(LimitError, match=text):
            workflow.process("answer", created(workflow).body)

    def test_of_how_many(self) -> None:
        workflow, seen = a_workflow(limits=Limits(contributions=3)), []

        @workflow.step(on=["TicketCreated", "Again"], emits="Again")
        def loop(ticket: Text) -> Answer:
            seen.append(ticket)
            return Answer(text="")

        @workflow.step(on="Again")
        def audit(ticket: Text) -> None:
            pass

        event = created(workflow)
        for _ in range(2):
            event = only(workflow.process("loop", event.body))
        assert len(opened(workflow, event).contributions) == 3
        with pytest.raises(LimitError, match="loop: expected room for what the step writes, got 3 contributions"):
            workflow.process("loop", event.body)
        assert len(seen) == 2, "before the handler is called"
        assert workflow.process("audit", event.body) == [], "who writes nothing needs no room"


def varint(number: int) -> bytes:
    number = number << 1 ^ number >> 63
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


class TestForeignWriters:
    """Any legal Avro encoding of the array is read, and written on in ours."""

    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="TicketValidated")
        def validation(ticket: Text) -> Validated:
            return Validated(priority="HIGH")

        @workflow.step(on="TicketValidated", emits="Answered")
        def answer(ticket: Text, validation: Validated) -> Answer:
            return Answer(text=f"{ticket.text} {validation.priority}")

        return workflow

    @staticmethod
    def two_in(blocks: Callable[[list[bytes]], bytes], body: bytes) -> bytes:
        _, at = wire.read_header(body)
        index = wire.index(body, at)
        assert index is not None
        return body[:at] + blocks([body[begin:end] for begin, end in index.spans]) + b"\0"

    @pytest.mark.parametrize(
        "blocks",
        [
            lambda items: varint(len(items)) + b"".join(items),
            lambda items: varint(-len(items)) + varint(len(b"".join(items))) + b"".join(items),
            lambda items: b"".join(varint(1) + item for item in items),
            lambda items: varint(-1) + varint(len(items[0])) + items[0] + varint(1) + items[1],
        ],
        ids=["one block", "one sized block", "a block each", "mixed"],
    )
    def test_are_read(self, workflow: Workflow, blocks: Callable[[list[bytes]], bytes]) -> None:
        ours = only(workflow.process("validation", created(workflow).body))
        theirs = self.two_in(blocks, ours.body)
        assert theirs != ours.body

        assert workflow.process("answer", theirs) == workflow.process("answer", ours.body)


def the_same_work(work: tuple[str, str, str, list[bytes]]) -> tuple[Any, ...]:
    return *work[:3], tuple(sorted(work[3]))


class TestSameWork:
    def test_gives_the_same_event(self) -> None:
        workflow = a_workflow(clock=VirtualClock())

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer(text="")

        first = created(workflow)
        one, two = (only(workflow.process("answer", first.body)) for _ in range(2))

        assert one.headers["ce-id"] == two.headers["ce-id"] == "8faf28fe19b7f2a1645daae127e69d41"
        assert one.headers["ce-time"] != two.headers["ce-time"]
        both = opened(workflow, one).merge(opened(workflow, two))
        assert both == opened(workflow, one), "merging drops the repetition"

    @given(
        st.lists(
            st.tuples(*[st.text(min_size=1, max_size=4)] * 3, st.lists(st.binary(min_size=16, max_size=16))),
            min_size=2,
            max_size=5,
            unique_by=the_same_work,
        )
    )
    def test_and_no_other_work_does(self, works: list[tuple[str, str, str, list[bytes]]]) -> None:
        ids = [event_id(workflow, run, step, causes) for workflow, run, step, causes in works]

        assert len(set(ids)) == len(ids)
        assert ids == [independent_id(workflow, run, step, *causes) for workflow, run, step, causes in works]
        assert ids == [event_id(workflow, run, step, causes[::-1]) for workflow, run, step, causes in works]


class TestAlone:
    """A service that has its own step only, and the contracts of the others."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        everybody = a_workflow()

        @everybody.step(on="TicketCreated", emits={Validated: "TicketValidated", Rejected: "TicketRejected"})
        def validation(ticket: Text) -> Validated | Rejected:
            return Validated(priority="HIGH")

        export(everybody, tmp_path)
        return tmp_path

    def test_can_process(self, folder: Path) -> None:
        class Urgency(BaseModel):
            priority: str

        alone = Workflow("ticket", contracts=folder, clock=lambda: NOON)

        @alone.step(on="TicketValidated", emits="Answered")
        def answer(validation: Urgency) -> Answer:
            return Answer(text=f"{validation.priority}!")

        alone.check()
        intake = a_workflow()

        @intake.step(on="TicketCreated", emits={Validated: "TicketValidated", Rejected: "TicketRejected"})
        def validation(ticket: Text) -> Validated | Rejected:
            return Validated(priority="HIGH")

        validated = only(intake.process("validation", created(intake).body))
        answered = only(alone.process("answer", validated.body))

        assert opened(alone, answered).state() == {"ticket_id": "T-1", "text": "HIGH!", "priority": "HIGH"}
        assert opened(alone, answered).provenance()["priority"].version == 1
        assert list(alone.steps) == ["answer"]


class TestCopies:
    def test_with_another_clock_leave_the_original_alone(self) -> None:
        workflow = a_workflow()
        later = workflow.with_clock(lambda: NOON + 1)
        later.starts("phone", Answer, emits="Called")

        assert created(later).headers["ce-time"] == "2026-01-01T12:00:00.000001+00:00"
        assert created(workflow).headers["ce-time"] == "2026-01-01T12:00:00+00:00"
        assert list(workflow.steps) == ["ticket"]

    def test_with_other_contracts_read_those(self, tmp_path: Path) -> None:
        class Unread(BaseModel):
            text: str

        writer = a_workflow()
        export(writer, tmp_path)
        first = created(writer)
        reader = Workflow("ticket", contracts="/nonexistent")

        @reader.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Unread) -> Answer:
            return Answer(text=ticket.text)

        with pytest.raises(UnknownSchemaError):
            reader.process("answer", first.body)
        assert only(reader.with_contracts(tmp_path).process("answer", first.body)).event == "Answered"
        assert len(reader.with_contracts(tmp_path).catalog) == len(reader.catalog) + 1

    def test_read_the_contracts_again_when_told_to(self, tmp_path: Path) -> None:
        class Unread(BaseModel):
            text: str

        reader = Workflow("ticket", contracts=tmp_path)

        @reader.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Unread) -> Answer:
            return Answer(text=ticket.text)

        writer = a_workflow()
        first = created(writer)
        with pytest.raises(UnknownSchemaError):
            reader.process("answer", first.body)
        export(writer, tmp_path)
        reader.reload()

        assert only(reader.process("answer", first.body)).event == "Answered"


class TestTransaction:
    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text, context: StepContext) -> Answer:
            return Answer(text=context.transaction if ticket.text else "nothing asked for")

        return workflow

    def test_is_begun_for_a_handler_that_asks_for_it(self, workflow: Workflow) -> None:
        asked = []

        def begin() -> str:
            asked.append(True)
            return "begun"

        silent = only(workflow.process("answer", created(workflow, "").body, transaction=begin))
        assert (opened(workflow, silent).state()["text"], asked) == ("nothing asked for", [])
        assert opened(workflow, only(workflow.process("answer", created(workflow).body, transaction=begin))).state()[
            "text"
        ] == ("begun")

    def test_is_not_to_be_had_without_a_store(self, workflow: Workflow) -> None:
        with pytest.raises(WorkflowError, match=r"^answer: expected a store, whose transaction the handler wants"):
            workflow.process("answer", created(workflow).body)


class TestGivingUp:
    @pytest.fixture
    def workflow(self) -> Workflow:
        workflow = a_workflow()

        @workflow.step(on="TicketCreated", emits="Answered")
        def answer(ticket: Text) -> Answer:
            return Answer(text=ticket.text)

        return workflow

    def test_publishes_the_failure_event_with_the_last_error(self, workflow: Workflow) -> None:
        first = created(workflow)
        given_up = only(workflow.give_up("answer", first.body, ValueError("no \ud800 text"), received_at=NOON - 5))

        assert given_up.event == "answer.failed"
        envelope = opened(workflow, given_up)
        assert envelope.at("TicketCreated") == opened(workflow, first)
        assert envelope.read("answer", Failure) == Failure(type="ValueError", message="no ? text")
        assert envelope["answer"].outcome is Outcome.FAILED
        assert envelope["answer"].attributes == {"error.type": "ValueError", "error.message": "no ? text"}
        assert (envelope["answer"].received_at, envelope["answer"].completed_at) == (NOON - 5, NOON)
        assert given_up.headers["ce-causationid"] == first.headers["ce-id"]

    def test_has_an_id_of_its_own_since_the_work_may_still_succeed(self, workflow: Workflow) -> None:
        first = created(workflow)
        ids = {
            only(workflow.give_up("answer", first.body, error, received_at=NOON)).headers["ce-id"]
            for error in (ValueError("one"), KeyError("two"))
        }

        assert len(ids) == 1
        assert ids.isdisjoint({only(workflow.process("answer", first.body)).headers["ce-id"]})

    def test_of_what_is_not_for_the_step_is_refused(self, workflow: Workflow) -> None:
        answered = only(workflow.process("answer", created(workflow).body))
        for body, refused in ((b"no envelope", WireError), (answered.body, WorkflowError)):
            with pytest.raises(refused):
                workflow.give_up("answer", body, ValueError(), received_at=NOON)


def test_a_workflow_says_what_it_is() -> None:
    assert repr(a_workflow()) == "<Workflow ticket: ticket>"
    assert repr(Workflow("ticket")) == "<Workflow ticket: no steps>"


def test_steps_cannot_be_changed_from_outside() -> None:
    steps: Mapping[str, Any] = a_workflow().steps
    with pytest.raises(TypeError):
        steps["other"] = replace(steps["ticket"], name="other")  # type: ignore[index]
