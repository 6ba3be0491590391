"""How far a run has come, at every point of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from stamp import Contribution, Envelope, Fail, Outcome, Workflow
from stamp.errors import WorkflowError
from stamp.schema import SchemaId
from stamp.testing import Simulation
from stamp.workflow import Progress, export

TICKET = ("ticket", "validation", "assignment", "notification", "resolution", "billing", "survey")


class Text(BaseModel):
    text: str = ""


class Other(BaseModel):
    text: str = ""


def of(progress: Progress) -> dict[str, tuple[str, ...]]:
    """What is not empty of a progress."""
    names = ("complete", "failed", "waiting", "ahead", "untaken", "ends")
    return {name: getattr(progress, name) for name in names if getattr(progress, name)}


class TestTicket:
    @staticmethod
    def finals(root: Path) -> dict[str, Envelope]:
        from examples.ticket import intake, ticket

        simulation = Simulation(ticket)
        text = (root / "examples/ticket/tickets.jsonl").read_bytes().decode().removesuffix("\n")
        lines = [json.loads(line) for line in text.split("\n")]
        for line in lines:
            simulation.start(intake.Ticket.model_validate(line), workflow_id=line["workflow_id"])
        simulation.run()
        finals = [simulation.final(line["workflow_id"]) for line in lines]
        return {each.contributions[-1].event: each for each in finals}

    def test_at_every_prefix(self, root: Path) -> None:
        from examples.ticket import ticket

        final = self.finals(root)["SurveyAnswered"]
        for number in range(1, 8):
            progress = ticket.progress(final.at(number - 1))

            if number == 7:
                assert of(progress) == {"complete": TICKET, "ends": ("SurveyAnswered",)}
                assert str(progress) == "step 7 of 7 complete, ended with SurveyAnswered"
            else:
                assert of(progress) == {
                    "complete": TICKET[:number],
                    "waiting": TICKET[number : number + 1],
                } | ({"ahead": TICKET[number + 1 :]} if number < 6 else {})
                assert str(progress) == f"step {number} of 7 complete, waiting for {TICKET[number]}"
            assert progress.ended is (number == 7)
            assert progress.total == 7

    def test_what_a_rejected_ticket_does_not_reach_is_not_missing(self, root: Path) -> None:
        from examples.ticket import ticket

        progress = ticket.progress(self.finals(root)["TicketRejected"])

        assert of(progress) == {"complete": TICKET[:2], "untaken": TICKET[2:], "ends": ("TicketRejected",)}
        assert progress.ended
        assert str(progress) == "step 2 of 2 complete, ended with TicketRejected"

    def test_contracts_alone_tell_the_same(self, root: Path) -> None:
        from examples.ticket import ticket

        outside = Workflow("ticket", contracts=root / "schemas")
        for final in self.finals(root).values():
            for number in range(len(final.contributions)):
                assert outside.progress(final.at(number)) == ticket.progress(final.at(number))


def test_before_the_first_event_it_waits_for_a_start() -> None:
    workflow = a_fork()
    empty = Envelope.begin("order", "1", started_at=0)

    progress = workflow.progress(empty)
    assert (progress.waiting, progress.complete, progress.ended) == (("order",), (), False)
    assert str(progress) == "step 0 of 5 complete, waiting for order"


def a_fork() -> Workflow:
    """An order is packed and paid side by side; each branch is told about, and what cannot be paid is cancelled."""
    workflow = Workflow("order", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on="Ordered", emits="Packed")
    def packing(order: Text) -> Text:
        return order

    @workflow.step(on="Ordered", emits="Paid")
    def payment(order: Text) -> Text:
        if order.text == "poor":
            raise Fail("no money")
        return order

    @workflow.step(on="payment.failed", emits="Cancelled")
    def cancellation(order: Text) -> Text:
        return order

    @workflow.step(on="Paid", emits={Text: "Told", Other: "Gifted"})
    def letter(order: Text) -> Text | Other:
        return Other() if order.text == "gift" else order

    @workflow.step(on="Gifted", emits="Wrapped")
    def wrapping(order: Text) -> Text:
        return order

    @workflow.step(on=["Told", "Packed"])
    def audit(order: Text) -> None:
        pass

    return workflow


class Branches:
    """The envelopes of a run, by the event that is their last."""

    def __init__(self, text: str) -> None:
        self.workflow = a_fork()
        first = self.workflow.start(Text(text=text), workflow_id="1")
        waiting, self.of = [first], {}
        for event in waiting:
            self.of[event.event] = Envelope.from_bytes(event.body, catalog=self.workflow.catalog)
            for step in self.workflow.steps.values():
                if event.event in step.on:
                    waiting += self.workflow.process(step.name, event.body)

    def at(self, *events: str) -> Progress:
        return self.workflow.progress(reduce(Envelope.merge, [self.of[event] for event in events]))


class TestBranches:
    def test_the_event_of_one_does_not_know_of_the_others(self) -> None:
        assert of(Branches("").at("Packed")) == {
            "complete": ("order", "packing"),
            "waiting": ("payment",),
            "ahead": ("letter", "wrapping"),
            "untaken": ("cancellation",),
            "ends": ("Packed",),
        }

    @pytest.mark.parametrize(
        ("events", "text"),
        [
            (["Ordered"], "step 1 of 5 complete, waiting for packing and payment"),
            (["Packed"], "step 2 of 5 complete, waiting for payment"),
            (["Paid"], "step 2 of 5 complete, waiting for packing and letter"),
            (["Packed", "Paid"], "step 3 of 5 complete, waiting for letter"),
            (["Packed", "Told"], "step 4 of 4 complete, ended with Packed and Told"),
        ],
    )
    def test_are_merged(self, events: list[str], text: str) -> None:
        assert str(Branches("").at(*events)) == text

    def test_that_are_taken_in_are_counted(self) -> None:
        branches = Branches("gift")

        assert str(branches.at("Packed", "Gifted")) == "step 4 of 5 complete, waiting for wrapping"
        assert str(branches.at("Packed", "Wrapped")) == "step 5 of 5 complete, ended with Packed and Wrapped"

    def test_that_fail_are_taken_up_by_who_listens(self) -> None:
        branches = Branches("poor")

        failed = branches.at("Packed", "payment.failed")
        assert of(failed) == {
            "complete": ("order", "packing"),
            "failed": ("payment",),
            "waiting": ("cancellation",),
            "untaken": ("letter", "wrapping"),
            "ends": ("Packed",),
        }
        assert str(failed) == "step 2 of 4 complete, payment failed, waiting for cancellation"
        cancelled = branches.at("Packed", "Cancelled")
        assert cancelled.ended
        assert str(cancelled) == "step 3 of 4 complete, payment failed, ended with Packed and Cancelled"


def simulated(workflow: Workflow, first: BaseModel) -> Progress:
    simulation = Simulation(workflow)
    simulation.start(first, workflow_id="1")
    return workflow.progress(simulation.run().history("1"))


def test_a_failure_that_nobody_listens_to_ends_the_run() -> None:
    workflow = Workflow("order", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on="Ordered", emits="Paid")
    def payment(order: Text) -> Text:
        raise Fail("no money")

    @workflow.step(on="Paid", emits="Told")
    def letter(order: Text) -> Text:
        return order

    progress = simulated(workflow, Text())
    assert of(progress) == {
        "complete": ("order",),
        "failed": ("payment",),
        "untaken": ("letter",),
        "ends": ("payment.failed",),
    }
    assert progress.ended
    assert str(progress) == "step 1 of 2 complete, payment failed, ended with payment.failed"


def test_nothing_is_expected_after_an_event_that_ends() -> None:
    workflow = Workflow("order", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on="Ordered", emits="Paid", ends="Paid")
    def payment(order: Text) -> Text:
        return order

    @workflow.step(on="Paid", emits="Archived")
    def archive(order: Text) -> Text:
        return order

    @workflow.step(on="Archived", emits="Copied")
    def copy(order: Text) -> Text:
        return order

    simulation = Simulation(workflow)
    simulation.start(Text(), workflow_id="1")
    paid, final = simulation.run().finals("1")
    assert paid == final.at("Paid")
    assert of(workflow.progress(final.at("Ordered"))) == {
        "complete": ("order",),
        "waiting": ("payment",),
        "untaken": ("archive", "copy"),
    }
    assert of(workflow.progress(final.at("Paid"))) == {
        "complete": ("order", "payment"),
        "untaken": ("archive", "copy"),
        "ends": ("Paid",),
    }
    assert of(workflow.progress(final.at("Archived"))) == {
        "complete": ("order", "payment", "archive"),
        "untaken": ("copy",),
        "ends": ("Paid",),
    }
    assert of(workflow.progress(final)) == {
        "complete": ("order", "payment", "archive", "copy"),
        "ends": ("Paid", "Copied"),
    }


def test_a_step_of_a_loop_waits_again() -> None:
    workflow = Workflow("order", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on=["Ordered", "Refused"], emits="Offered")
    def offer(order: Text, answer: Other | None) -> Text:
        return order

    @workflow.step(on="Offered", emits={Text: "Accepted", Other: "Refused"})
    def answer(order: Text, answer: Other | None) -> Text | Other:
        return Text() if answer else Other()

    simulation = Simulation(workflow)
    simulation.start(Text(), workflow_id="1")
    final = simulation.run().final("1")
    assert [str(workflow.progress(final.at(number))) for number in range(len(final.contributions))] == [
        "step 1 of 3 complete, waiting for offer",
        "step 2 of 3 complete, waiting for answer",
        "step 2 of 3 complete, waiting for offer",
        "step 2 of 3 complete, waiting for answer",
        "step 3 of 3 complete, ended with Accepted",
    ]


def test_the_latest_work_of_a_step_tells_how_it_is() -> None:
    workflow = Workflow("order", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on=["Ordered", "payment.failed"], emits="Paid")
    def payment(payment: Text | None) -> Text:
        return Text()

    envelope = Envelope.from_bytes(workflow.start(Text(), workflow_id="1").body)
    failed = added(envelope, "payment", "payment.failed", outcome="FAILED")

    assert of(workflow.progress(failed)) == {"complete": ("order",), "waiting": ("payment",)}
    assert of(workflow.progress(added(failed, "payment", "Paid"))) == {
        "complete": ("order", "payment"),
        "ends": ("Paid",),
    }


def added(envelope: Envelope, step: str, event: str, **more: Any) -> Envelope:
    """The envelope, with what a step answers to its last event."""
    last = envelope.contributions[-1]
    return envelope.append(
        Contribution(
            step=step,
            schema_id=SchemaId(bytes(16)),
            payload=b"",
            event=event,
            event_id=bytes([len(envelope.contributions)] * 16),
            causes=(last.event_id,),
            received_at=0,
            completed_at=0,
            outcome=Outcome(more.get("outcome", "COMPLETED")),
        )
    )


def test_steps_that_nobody_declares_have_worked_all_the_same() -> None:
    workflow = a_fork()
    envelope = Envelope.from_bytes(workflow.start(Text(), workflow_id="1").body)

    progress = workflow.progress(added(envelope, "stranger", "Strange"))
    assert progress.complete == ("order", "stranger")
    assert progress.ends == ("Strange",)
    assert progress.waiting == ("packing", "payment")


def test_a_silent_step_is_seen_when_it_fails() -> None:
    workflow = a_fork()
    envelope = Envelope.from_bytes(workflow.start(Text(), workflow_id="1").body)
    failed = added(added(envelope, "packing", "Packed"), "audit", "audit.failed", outcome="FAILED")

    assert workflow.progress(failed).failed == ("audit",)


def test_an_envelope_of_another_workflow_is_refused() -> None:
    with pytest.raises(WorkflowError, match="expected an envelope of the workflow 'order', got one of 'ticket'"):
        a_fork().progress(Envelope.begin("ticket", "1", started_at=0))


def test_contracts_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stamp.workflow import workflow as module

    export(a_fork(), tmp_path)
    alone, reads = Workflow("order", contracts=tmp_path), []
    read = module.read_contracts
    monkeypatch.setattr(module, "read_contracts", lambda *args, **named: reads.append(args) or read(*args, **named))
    envelope = Envelope.from_bytes(a_fork().start(Text(), workflow_id="1").body)

    texts = {str(alone.progress(envelope)) for _ in range(3)}

    assert texts == {"step 1 of 5 complete, waiting for packing and payment"}
    assert len(reads) == 1


def handler_of(number: int) -> Callable[[Text], Text | Other]:
    def handler(s0: Text) -> Text | Other:
        if f"{number}f" in s0.text:
            raise Fail("")
        return Other() if f"{number}o" in s0.text else Text()

    return handler


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """A workflow without circles in which a handler does what the text of the start tells: `3f` is a failure of step 3."""
    workflow = Workflow("any", contracts="/nonexistent")
    workflow.starts("s0", Text, emits="E0")
    events = ["E0"]
    for number in range(1, draw(st.integers(2, 7))):
        on = draw(st.lists(st.sampled_from(events), min_size=1, max_size=2, unique=True))
        emits = {Text: f"E{number}", Other: f"O{number}"}
        ends = draw(st.sampled_from([(), (), (), f"E{number}", f"O{number}"]))
        workflow.step(on=on, emits=emits, ends=ends, name=f"s{number}")(handler_of(number))
        events += [f"E{number}", f"O{number}", f"s{number}.failed"]
    return workflow


@given(workflows(), st.lists(st.tuples(st.integers(1, 7), st.sampled_from("fo"))), st.data())
def test_each_step_is_in_one_place_and_a_run_that_is_over_has_ended(
    workflow: Workflow, turns: list[tuple[int, str]], data: st.DataObject
) -> None:
    simulation = Simulation(workflow)
    simulation.start(Text(text=" ".join(f"{number}{turn}" for number, turn in turns)), workflow_id="1")
    whole = simulation.run().history("1")
    parts = [whole.at(number) for number in range(len(whole.contributions))]
    some = reduce(Envelope.merge, data.draw(st.lists(st.sampled_from(parts), min_size=1)))

    for envelope in (whole, some):
        progress = workflow.progress(envelope)
        groups = (progress.complete, progress.failed, progress.waiting, progress.ahead, progress.untaken)
        assert sorted(chain(*groups)) == sorted(workflow.steps)
        done = {each.step for each in envelope.contributions}
        assert {*progress.complete, *progress.failed} <= done
        assert done <= {*progress.complete, *progress.failed, *progress.waiting}
        assert progress.total == len(workflow.steps) - len(progress.untaken)
        assert progress.ended is not bool(progress.waiting)
    assert workflow.progress(whole).ended
    assert not workflow.progress(whole).ahead
