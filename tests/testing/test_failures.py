"""A simulation does with work that fails what a worker does: rests, dead letters, failure events, and what waits meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from stamp import Fail, Outgoing, StepContext, Workflow
from stamp.errors import UsedIdError, WorkflowError
from stamp.runtime import Policy, Retry
from stamp.testing import Simulation, VirtualClock
from stamp.workflow import export

SECOND = timedelta(seconds=1)


class Text(BaseModel):
    text: str = ""


class Number(BaseModel):
    number: int


class Bank:
    """An order is paid, unless the bank raises one of `errors` first; `calls` has the attempt and the time of each call."""

    def __init__(self, *errors: BaseException, on: str | list[str] = "Ordered") -> None:
        self.errors, self.calls = list(errors), list[tuple[str, int, float]]()
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC), tick=timedelta(0))
        self.workflow = Workflow("shop", contracts="/nonexistent")
        self.workflow.starts("order", Text, emits="Ordered")
        self.workflow.starts("reminder", Number, emits="Reminded")

        @self.workflow.step(on=on, emits="Paid")
        def payment(order: Text | None, context: StepContext) -> Number:
            passed = (self.clock.now - datetime(2026, 1, 1, tzinfo=UTC)) / SECOND
            self.calls.append((context.event, context.attempt, passed))
            if self.errors:
                raise self.errors.pop(0)
            return Number(number=7)

    def simulation(self, **named: Any) -> Simulation:
        simulation = Simulation(self.workflow, clock=self.clock, **named)
        simulation.start(Text(), workflow_id="1")
        return simulation


def policy(attempts: int = 3, **named: Any) -> Policy:
    return Policy(retry=Retry(attempts=attempts, first=10, longest=40, deaths=4), **named)


def broken(number: int) -> list[BaseException]:
    return [ConnectionError(f"no bank {each}") for each in range(number)]


class TestRests:
    def test_get_longer_on_the_clock_of_the_simulation(self) -> None:
        bank = Bank(*broken(4))
        simulation = bank.simulation(policy=policy(attempts=5)).run()

        assert simulation.final("1").state()["number"] == 7
        assert simulation.dead_letters == []
        assert [attempt for _, attempt, _ in bank.calls] == [1, 2, 3, 4, 5]
        times = [time for *_, time in bank.calls]
        rests = [after - before for before, after in pairwise(times)]
        for rest, due in zip(rests, (10, 20, 40, 40), strict=True):
            assert due / 2 <= rest <= due + 0.1

    def test_are_the_same_for_the_same_seed(self) -> None:
        def times(seed: int) -> list[float]:
            bank = Bank(*broken(4))
            bank.simulation(seed=seed).run()
            return [time for *_, time in bank.calls]

        assert times(1) == times(1) != times(2)

    def test_hold_up_no_other_run(self) -> None:
        bank = Bank(*broken(1))
        simulation = bank.simulation(policy=policy())
        simulation.start(Text(), workflow_id="2")
        simulation.run(within=SECOND)

        assert (simulation.finals("1"), len(simulation.finals("2"))) == ([], 1)

    def test_may_be_left_for_later(self) -> None:
        bank = Bank(*broken(2))
        simulation = bank.simulation(policy=policy()).run(within=4 * SECOND)

        assert (len(bank.calls), bank.clock.now) == (1, datetime(2026, 1, 1, 0, 0, 4, tzinfo=UTC))
        [waiting] = simulation.waiting
        assert (waiting.step, waiting.event, waiting.workflow_id) == ("payment", "Ordered", "1")
        assert waiting.reason == "attempt 1 raised ConnectionError: no bank 0"
        assert waiting.until is not None
        assert 5 * SECOND <= waiting.until - datetime(2026, 1, 1, tzinfo=UTC) <= 10.1 * SECOND
        assert str(waiting).startswith("Ordered of the run '1' waits for payment until 2026-01-01T00:00:")
        with pytest.raises(
            WorkflowError, match=r"got none: .*; Ordered of the run '1' waits for payment until .* raised"
        ):
            simulation.final("1")

        assert simulation.run().final("1").state()["number"] == 7
        assert simulation.waiting == []

    def test_of_nothing_pass_as_well(self) -> None:
        simulation = Bank().simulation().run()
        before = simulation.clock.now

        assert simulation.run(within=timedelta(days=2)).clock.now == before + timedelta(days=2)
        assert simulation.run().clock.now == before + timedelta(days=2)


class Unreadable(BaseModel):
    text: int


def reading(view: type[BaseModel] = Text, *, returns: Any = None, raises: BaseException | None = None) -> Workflow:
    """A workflow whose step reads with `view`, and returns or raises something."""
    workflow = Workflow("shop", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")

    @workflow.step(on="Ordered", emits="Paid")
    def payment(order: view, context: StepContext) -> Number:  # type: ignore[valid-type]
        if raises is not None:
            raise raises
        if returns == "transaction":
            context.transaction.execute("")
        answer: Number = Number(number=7) if returns is None else returns
        return answer

    return workflow


def missing() -> Workflow:
    workflow = Workflow("shop", contracts="/nonexistent")
    workflow.starts("order", Text, emits="Ordered")
    workflow.starts("reminder", Number, emits="Reminded")

    @workflow.step(on="Ordered", emits="Paid")
    def payment(reminder: Number) -> Number:
        return reminder

    return workflow


class TestDeadLetters:
    @pytest.mark.parametrize(
        ("workflow", "reason", "kind", "attempts"),
        [
            (reading(raises=ValueError("no")), "attempts-exhausted", "ValueError", 3),
            (reading(raises=SystemExit("no")), "attempts-exhausted", "SystemExit", 3),
            (reading(raises=asyncio.CancelledError("no")), "attempts-exhausted", "CancelledError", 3),
            (reading(returns="an answer"), "undeclared-answer", "HandlerError", 1),
            (reading(returns=Number.model_construct(number="x")), "unwritable-answer", "EncodeError", 1),
            (reading(Unreadable), "unreadable", "ResolutionError", 1),
            (reading(returns="transaction"), "no-transaction", "NoTransactionError", 1),
            (missing(), "missing-contribution", "MissingContributionError", 1),
        ],
    )  # fmt: skip
    def test_have_the_reasons_of_a_worker(self, workflow: Workflow, reason: str, kind: str, attempts: int) -> None:
        simulation = Simulation(workflow, policy=policy())
        simulation.start(Text(text="no number"), workflow_id="1")
        [dead] = simulation.run().dead_letters

        assert (dead.consumer, dead.letter.reason, dead.letter.error_type) == ("shop.payment", reason, kind)
        assert (dead.attempts, dead.message.event, dead.message.workflow_id) == (attempts, "Ordered", "1")
        assert dead.first_at <= dead.last_at == simulation.clock.micros
        assert bool(dead.letter.traceback) is (reason == "attempts-exhausted")
        assert simulation.waiting == []

    def test_come_with_the_failure_event(self) -> None:
        bank = Bank(*broken(3))
        simulation = bank.simulation(policy=policy()).run()

        assert simulation.events("1") == ["Ordered", "payment.failed"]
        failed = simulation.final("1").contributions[-1]
        assert failed.attributes["error.message"] == "no bank 2"
        assert len(bank.calls) == 3

    def test_are_said_where_an_end_is_missed(self) -> None:
        workflow = Bank(*broken(3)).workflow

        @workflow.step(on="payment.failed")
        def alarm(order: Text) -> None:
            pass

        simulation = Simulation(workflow, policy=policy())
        simulation.start(Text(), workflow_id="1")
        said = "none: .*; Ordered is a dead letter of shop.payment .attempts-exhausted.: ConnectionError: no bank 2"
        with pytest.raises(WorkflowError, match=said):
            simulation.run().final("1")

    def test_can_be_replayed_with_all_attempts(self) -> None:
        bank = Bank(*broken(5))
        simulation = bank.simulation(policy=policy()).run()
        [dead] = simulation.dead_letters

        assert simulation.replay(dead) == 1
        assert simulation.dead_letters == []
        assert [each.reason for each in simulation.waiting] == ["it is due"]
        assert simulation.replay(dead) == simulation.replay() == 0
        simulation.run()
        assert [attempt for _, attempt, _ in bank.calls] == [1, 2, 3, 1, 2, 3]
        assert simulation.events("1") == ["Ordered", "payment.failed", "Paid"]
        assert len({each.contributions[-1].event_id for each in simulation.finals("1")}) == 2

    def test_that_die_again_are_dead_again_and_fail_once(self) -> None:
        simulation = Bank(*broken(6)).simulation(policy=policy()).run()
        assert simulation.replay() == 1

        assert [each.attempts for each in simulation.run().dead_letters] == [3]
        assert simulation.events("1") == ["Ordered", "payment.failed"]

    def test_are_not_worked_on_because_they_are_delivered_again(self) -> None:
        bank = Bank(*broken(9))
        bank.simulation(policy=policy(), duplicate=1.0).run()

        assert len(bank.calls) == 3

    def test_let_the_later_events_of_the_run_pass(self) -> None:
        workflow, seen = Workflow("shop", contracts="/nonexistent"), list[str]()
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits=["One", "Two"])
        def split(order: Text) -> Text:
            return order

        @workflow.step(on=["One", "Two"], emits="Done")
        def work(context: StepContext) -> Text:
            seen.append(context.event)
            if context.event == "One" and len(seen) < 4:
                raise ValueError("no")
            return Text()

        simulation = Simulation(workflow, policy=policy())
        simulation.start(Text(), workflow_id="1")
        simulation.run(within=SECOND)
        assert [each.reason for each in simulation.waiting] == [
            "attempt 1 raised ValueError: no",
            "an earlier event of its run comes first",
        ]
        simulation.run()
        assert seen == ["One", "One", "One", "Two"]
        assert [each.message.event for each in simulation.dead_letters] == ["One"]

        simulation.replay()
        simulation.run()
        assert (seen[4:], simulation.dead_letters) == (["One"], [])


class TestDeaths:
    def test_leave_the_work_to_others_when_the_lease_is_over(self) -> None:
        bank = Bank()
        bank.simulation(crash=1.0, policy=policy(lease=60)).run()
        times = [time for *_, time in bank.calls]

        assert len(times) == 4
        assert all(59.9 < after - before < 60.1 for before, after in pairwise(times))

    def test_are_no_failures_but_too_many_are_the_end(self) -> None:
        bank = Bank(*broken(1))
        simulation = bank.simulation(crash=1.0, policy=policy(attempts=2)).run()

        [dead] = simulation.dead_letters
        assert (dead.letter.reason, dead.letter.error_type) == ("worker-died", "StampError")
        assert (
            dead.letter.error_message
            == "payment: expected a worker to live through this work, got 4 that died or lost it"
        )
        assert simulation.events("1") == ["Ordered", "payment.failed"]
        assert len(bank.calls) == 5

    def test_are_said_while_the_work_waits(self) -> None:
        [waiting] = Bank().simulation(crash=1.0).run(within=SECOND).waiting
        assert waiting.reason == "the service died in attempt 1"


class TestRaisedErrors:
    @pytest.mark.parametrize("how", ["simulation", "run", "arun"])
    def test_come_out_and_change_nothing_of_the_course(self, how: str) -> None:
        bank, quiet = Bank(*broken(3)), Bank(*broken(3))
        simulation = bank.simulation(policy=policy(), raise_errors=how == "simulation")
        runs: dict[str, Callable[[], Any]] = {
            "simulation": simulation.run,
            "run": lambda: simulation.run(raise_errors=True),
            "arun": lambda: asyncio.run(simulation.arun(raise_errors=True)),
        }
        for attempt in range(3):
            with pytest.raises(ConnectionError, match=f"no bank {attempt}"):
                runs[how]()
        runs[how]()

        assert simulation.events("1") == quiet.simulation(policy=policy()).run().events("1")
        assert bank.calls == quiet.calls
        assert len(simulation.dead_letters) == 1

    def test_do_not_where_one_run_does_not_want_them(self) -> None:
        simulation = Bank(*broken(3)).simulation(policy=policy(), raise_errors=True)

        assert len(simulation.run(raise_errors=False).dead_letters) == 1

    def test_a_failure_of_business_is_none(self) -> None:
        simulation = Bank(Fail("no money")).simulation(raise_errors=True).run()

        assert simulation.final("1").contributions[-1].attributes["error.message"] == "no money"

    def test_what_ends_the_test_itself_always_does(self) -> None:
        bank = Bank(KeyboardInterrupt())
        simulation = bank.simulation()
        with pytest.raises(KeyboardInterrupt):
            simulation.run()
        assert simulation.run().final("1").state()["number"] == 7

    def test_a_test_that_is_cancelled_is_cancelled(self) -> None:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Paid")
        async def payment(order: Text) -> Text:
            await asyncio.sleep(60)
            return order

        simulation = Simulation(workflow)
        simulation.start(Text(), workflow_id="1")

        async def timed_out() -> None:
            async with asyncio.timeout(0.01):
                await simulation.arun()

        with pytest.raises(TimeoutError):
            asyncio.run(timed_out())
        assert simulation.dead_letters == []


class TestSeveralWorkflows:
    @staticmethod
    def orders(folder: Path) -> Workflow:
        workflow = Workflow("shop", contracts=folder)
        workflow.starts("order", Text, emits="Ordered")
        return workflow

    @staticmethod
    def payments(folder: Path) -> Workflow:
        workflow = Workflow("shop", contracts=folder, namespace="com.example")

        @workflow.step(on="Ordered", emits="Paid", ends="Paid")
        def payment(order: Text) -> Number:
            return Number(number=len(order.text))

        return workflow

    @staticmethod
    def archive(folder: Path) -> Workflow:
        workflow = Workflow("shop", contracts=folder)

        @workflow.step(on="Paid", emits="Archived")
        def archive(payment: Number) -> Number:
            return payment

        return workflow

    def test_of_one_name_are_simulated_together(self, tmp_path: Path) -> None:
        simulation = Simulation(self.orders(tmp_path), self.payments(tmp_path))
        simulation.start(Text(text="four"), workflow_id="1")

        assert simulation.run().final("1").state() == {"text": "four", "number": 4}

    def test_of_different_names_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WorkflowError, match="expected workflows of one name, got 'shop' and 'other'"):
            Simulation(self.orders(tmp_path), Workflow("other"))
        with pytest.raises(WorkflowError, match="expected at least one workflow"):
            Simulation()

    def test_that_are_not_here_are_waited_for(self, tmp_path: Path) -> None:
        for each in (self.orders(tmp_path), self.payments(tmp_path)):
            export(each, tmp_path)
        simulation = Simulation(self.orders(tmp_path))
        simulation.start(Text(), workflow_id="1")
        [waiting] = simulation.run().waiting

        assert (waiting.step, waiting.event, waiting.until) == ("payment", "Ordered", None)
        assert str(waiting) == "Ordered of the run '1' waits for payment: the code of this step is not here"
        assert simulation.finals("1") == []
        with pytest.raises(WorkflowError, match=r"got none: .*; Ordered of the run '1' waits for payment: the code"):
            simulation.final("1")

    @pytest.mark.parametrize("is_here", [False, True])
    def test_that_observe_a_declared_end_do_not_undo_it(self, tmp_path: Path, is_here: bool) -> None:
        parts = [self.orders(tmp_path), self.payments(tmp_path), self.archive(tmp_path)]
        for each in parts:
            export(each, tmp_path)
        simulation = Simulation(*(parts if is_here else parts[:2]))
        simulation.start(Text(), workflow_id="1")

        assert simulation.run().final("1").contributions[-1].event == "Paid"
        assert simulation.events("1") == ["Ordered", "Paid"] + ["Archived"] * is_here
        assert [each.step for each in simulation.waiting] == ["archive"] * (not is_here)


class TestUsedIds:
    def test_the_same_start_again_is_harmless(self) -> None:
        bank = Bank()
        simulation = bank.simulation().run()
        simulation.start(Text(), workflow_id="1")

        assert simulation.run().deliveries == len(bank.calls) == 1

    def test_another_one_is_refused_and_nothing_is_published(self) -> None:
        bank = Bank(on=["Ordered", "Reminded"])
        simulation = bank.simulation().run()
        for first in (Text(text="other"), Number(number=1)):
            with pytest.raises(
                UsedIdError, match=r"shop: expected the id of a new run, .* got '1', which began with other"
            ):
                simulation.start(first, workflow_id="1")

        assert simulation.run().events("1") == ["Ordered", "Paid"]
        assert Counter(event for event, *_ in bank.calls) == {"Ordered": 1}

    def test_events_on_the_way_begin_no_run(self) -> None:
        bank = Bank()
        simulation = bank.simulation().run()
        [paid] = bank.workflow.process("payment", bank.workflow.start(Text(), workflow_id="2").body)
        simulation.publish(Outgoing(*paid))

        assert simulation.finals("2") != []


class LongText(BaseModel):
    text: str
    language: str = "en"


class TestUnknownSchemas:
    """A writer has released a version that the reader has not seen."""

    @staticmethod
    def writer() -> Workflow:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", LongText, emits="Ordered")
        return workflow

    @staticmethod
    def reader(contracts: Path, calls: list[int]) -> Workflow:
        workflow = Workflow("shop", contracts=contracts)

        @workflow.step(on="Ordered", emits="Paid")
        def payment(order: Text, context: StepContext) -> Number:
            calls.append(context.attempt)
            return Number(number=len(order.text))

        return workflow

    def simulation(self, contracts: Path, calls: list[int], **named: Any) -> Simulation:
        simulation = Simulation(self.reader(contracts, calls), **named)
        for run in "12":
            simulation.publish(self.writer().start(LongText(text="four"), workflow_id=run))
        return simulation

    def test_are_waited_for_without_counting_attempts(self, tmp_path: Path) -> None:
        calls = list[int]()
        simulation = self.simulation(tmp_path, calls, policy=policy(attempts=1)).run(within=timedelta(hours=3))
        assert (calls, simulation.dead_letters, simulation.events("1")) == ([], [], ["Ordered"])
        assert {each.workflow_id for each in simulation.waiting} == {"1", "2"}
        for waiting in simulation.waiting:
            assert waiting.reason.startswith("UnknownSchemaError: order: expected a schema that the catalog knows")
            assert waiting.until is not None

        export(self.writer(), tmp_path)
        assert simulation.run().final("1").state() == {"text": "four", "language": "en", "number": 4}
        assert (calls, simulation.waiting) == ([1, 1], [])

    def test_are_not_waited_for_longer_than_the_policy_says(self, tmp_path: Path) -> None:
        calls = list[int]()
        simulation = self.simulation(tmp_path, calls, policy=policy(schema_patience=3600.0)).run()

        assert calls == []
        for dead in simulation.dead_letters:
            assert (dead.letter.reason, dead.attempts) == ("unknown-schema", 1)
            assert timedelta(hours=1) <= timedelta(microseconds=dead.last_at - dead.first_at) < timedelta(hours=1.1)
        assert len(simulation.dead_letters) == 2
        assert simulation.events("1") == ["Ordered", "payment.failed"]

        export(self.writer(), tmp_path)
        assert simulation.replay() == 2
        assert [each.contributions[-1].event for each in simulation.run().finals("1")] == ["payment.failed", "Paid"]
