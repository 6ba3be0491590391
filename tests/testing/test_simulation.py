"""The simulation does to messages what brokers do, and keeps the promises that the runtime makes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from stamp import Envelope, Fail, From, Outgoing, StepContext, Workflow
from stamp.errors import InputError, WireError, WorkflowError
from stamp.testing import Simulation, VirtualClock
from stamp.workflow import export


class Text(BaseModel):
    text: str = ""


class Number(BaseModel):
    number: int


class Shop:
    """An order is packed and paid side by side, and each is told about. `calls` are those of the handlers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int, bytes]] = []
        self.workflow = workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits=["Packed", "Weighed"])
        def packing(order: Text, context: StepContext) -> Number:
            self.called(context)
            return Number(number=len(order.text))

        @workflow.step(on="Ordered", emits="Paid")
        def payment(order: Text, context: StepContext) -> Number:
            self.called(context)
            if order.text == "poor":
                raise Fail("no money")
            return Number(number=7)

        @workflow.step(on=["Packed", "Paid", "payment.failed"], emits="Told")
        def letter(order: Text, context: StepContext) -> Text:
            self.called(context)
            return Text(text=context.event)

    def called(self, context: StepContext) -> None:
        self.calls.append((context.step, context.workflow_id, context.attempt, context.causes[0]))

    def simulation(self, *orders: str, **named: Any) -> Simulation:
        simulation = Simulation(self.workflow, **named)
        for number, text in enumerate(orders or ["hello"]):
            simulation.start(Text(text=text), workflow_id=str(number))
        return simulation


def loop(turns: int) -> Workflow:
    workflow = Workflow("loop", contracts="/nonexistent")
    workflow.starts("start", Number, emits="Turned")

    @workflow.step(on="Turned", emits={Number: "Turned", Text: "Stopped"})
    def turn(last: Annotated[Number, From("start")], turn: Number | None) -> Number | Text:
        number = (turn or last).number + 1
        return Text(text="over") if number >= turns else Number(number=number)

    return workflow


class TestARun:
    def test_ends_with_what_nobody_listens_to(self) -> None:
        simulation = Shop().simulation().run()

        assert simulation.events("0") == ["Ordered", "Packed", "Weighed", "Paid", "Told", "Told"]
        assert [each.contributions[-1].event for each in simulation.finals("0")] == ["Weighed", "Told", "Told"]

    def test_is_told_whole_by_its_merged_events(self) -> None:
        simulation = Shop().simulation().run()
        history = simulation.history("0")

        assert Counter(each.event for each in history.contributions) == Counter(simulation.events("0"))
        assert history == reduce(Envelope.merge, simulation.finals("0"))
        assert history.contributions[0].step == "order"

    def test_has_one_final_event_or_says_which(self) -> None:
        assert Simulation(loop(3)).start(Number(number=0), workflow_id="1").event == "Turned"
        simulation = Simulation(loop(3))
        simulation.start(Number(number=0), workflow_id="1")

        with pytest.raises(WorkflowError, match="expected one final event of the run '1', got none: "):
            simulation.final("1")
        assert simulation.run().final("1").state()["text"] == "over"
        with pytest.raises(WorkflowError, match="final event of the run '0', got Weighed, Told, Told: `finals` gives"):
            Shop().simulation().run().final("0")

    @pytest.mark.parametrize("ask", [Simulation.events, Simulation.finals, Simulation.final, Simulation.history])
    def test_that_nobody_started_is_an_error(self, ask: Any) -> None:
        with pytest.raises(WorkflowError, match=r"shop: expected a run that was started \('0'\), got '4729'"):
            ask(Shop().simulation(), "4729")

    def test_does_not_touch_another(self) -> None:
        simulation = Shop().simulation("one", "poor").run()

        assert "payment.failed" not in simulation.events("0")
        assert simulation.events("1").count("payment.failed") == 1
        assert {each.workflow_id for each in simulation.finals("1")} == {"1"}

    def test_without_an_end_is_stopped(self) -> None:
        simulation = Simulation(loop(10**9))
        simulation.start(Number(number=0), workflow_id="1")

        with pytest.raises(
            WorkflowError, match="within 20 deliveries, got 1 messages still waiting, Turned for turn amo"
        ):
            simulation.run(at_most=20)
        assert simulation.deliveries == 20

    def test_that_ends_with_the_last_delivery_is_not_stopped(self) -> None:
        simulation = Simulation(loop(20))
        simulation.start(Number(number=0), workflow_id="1")

        assert simulation.run(at_most=20).final("1").contributions[-1].event == "Stopped"

    def test_can_be_started_and_run_again(self) -> None:
        shop = Shop()
        simulation = shop.simulation("one").run()
        simulation.start(Text(text="two"), workflow_id="two")
        simulation.run().run()

        assert len(simulation.events("two")) == 6
        assert len(shop.calls) == 8


CHAOS: dict[str, Any] = {"duplicate": 0.5, "reorder": 0.5, "crash": 0.3}


class TestChaos:
    @pytest.mark.parametrize("seed", range(5))
    def test_the_same_seed_gives_the_same_course(self, seed: int) -> None:
        courses = []
        for _ in range(2):
            shop = Shop()
            simulation = shop.simulation("a", "b", "poor", seed=seed, **CHAOS).run()
            histories = [bytes(simulation.history(str(number))) for number in range(3)]
            courses.append((shop.calls, simulation.deliveries, histories, simulation.clock.now))
        assert courses[0] == courses[1]

    def test_another_seed_gives_another_course(self) -> None:
        courses = set()
        for seed in range(10):
            shop = Shop()
            shop.simulation("a", "b", seed=seed, **CHAOS).run()
            courses.add(tuple(shop.calls))
        assert len(courses) > 5

    @given(st.integers(0, 999), st.sampled_from(["", "poor"]))
    def test_does_not_change_what_happens(self, seed: int, text: str) -> None:
        calm = Shop().simulation(text).run()
        wild = Shop().simulation(text, seed=seed, **CHAOS).run()

        def what(simulation: Simulation) -> dict[bytes, tuple[Any, ...]]:
            return {
                each.event_id: (each.step, each.event, each.outcome, each.payload, each.causes)
                for each in simulation.history("0").contributions
            }

        assert what(wild) == what(calm)

    @given(st.integers(0, 999), st.floats(0, 1), st.floats(0, 1))
    def test_no_event_is_worked_on_twice_whatever_is_repeated(
        self, seed: int, duplicate: float, reorder: float
    ) -> None:
        shop = Shop()
        simulation = shop.simulation("a", "poor", seed=seed, duplicate=duplicate, reorder=reorder).run()

        assert len(shop.calls) == len(set(shop.calls)) == 8
        assert {attempt for _, _, attempt, _ in shop.calls} == {1}
        assert simulation.deliveries >= 8

    def test_repeats_are_delivered(self) -> None:
        assert Shop().simulation().run().deliveries == 4
        assert Shop().simulation(duplicate=1.0).run().deliveries == 12, (
            "2 of each first event, 2 x 2 of each second one"
        )

    def test_order_changes_only_when_it_may(self) -> None:
        def steps(**named: Any) -> list[str]:
            shop = Shop()
            shop.simulation("a", "b", **named).run()
            return [step for step, *_ in shop.calls]

        in_turn = ["packing", "payment", "packing", "payment", "letter", "letter", "letter", "letter"]
        assert {tuple(steps(seed=seed)) for seed in range(9)} == {tuple(in_turn)}
        assert len({tuple(steps(seed=seed, reorder=1.0)) for seed in range(9)}) > 3

    def test_a_crash_is_another_attempt_with_the_same_event_id(self) -> None:
        shop = Shop()
        shop.simulation(seed=1, crash=0.6).run()
        attempts = Counter((step, cause) for step, _, _, cause in shop.calls)

        assert len(attempts) == 4
        assert max(attempts.values()) > 2
        for step, cause in attempts:
            mine = [attempt for each, _, attempt, its in shop.calls if (each, its) == (step, cause)]
            assert mine == list(range(1, len(mine) + 1))

    @pytest.mark.parametrize(
        ("named", "text"),
        [
            ({"duplicate": 1.1}, "duplicate: expected a probability, got 1.1"),
            ({"reorder": -0.1}, "reorder: expected a probability"),
            ({"crash": 2}, "crash: expected a probability, got 2"),
        ],
    )
    def test_chances_are_probabilities(self, named: dict[str, float], text: str) -> None:
        with pytest.raises(InputError, match=text):
            Simulation(loop(1), **named)


class TestErrors:
    def test_come_out_where_that_is_wanted_and_the_message_stays(self) -> None:
        workflow, seen = Workflow("shop", contracts="/nonexistent"), []
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Paid")
        def payment(context: StepContext) -> Number:
            seen.append((context.attempt, context.event_id))
            if context.attempt < 3:
                raise ConnectionError(f"no bank, attempt {context.attempt}")
            return Number(number=context.attempt)

        simulation = Simulation(workflow)
        simulation.start(Text(), workflow_id="1")
        for attempt in (1, 2):
            with pytest.raises(ConnectionError, match=f"no bank, attempt {attempt}"):
                simulation.run(raise_errors=True)

        assert simulation.run().final("1").state() == {"text": "", "number": 3}
        assert [attempt for attempt, _ in seen] == [1, 2, 3]
        assert len({event_id for _, event_id in seen}) == 1

    def test_of_the_workflow_come_out_too(self) -> None:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Paid")
        def payment(packing: Number) -> Number:
            return packing

        simulation = Simulation(workflow, raise_errors=True)
        simulation.start(Text(), workflow_id="1")
        with pytest.raises(WorkflowError, match="expected a completed contribution of the step 'packing'"):
            simulation.run()

    def test_a_failure_is_none(self) -> None:
        simulation = Shop().simulation("poor").run()

        assert "payment.failed" in simulation.events("0")
        assert simulation.history("0")["letter"].event == "Told"


class TestTime:
    def test_is_virtual(self) -> None:
        clock = VirtualClock(datetime(2030, 1, 1, tzinfo=UTC), tick=timedelta(0))
        simulation = Shop().simulation(clock=clock).run()
        history = simulation.history("0")

        assert simulation.clock is clock
        assert history.started_at == 1_893_456_000_000_000
        for moment in history.timeline():
            assert moment.total < timedelta(seconds=1)
            assert moment.step == "order" or moment.queued > timedelta(0)

    def test_passes_as_a_test_wants_it(self) -> None:
        simulation = Shop().simulation()
        simulation.clock.advance(timedelta(days=30))

        first, second, *_ = simulation.run().history("0").timeline()
        assert first.total == timedelta(0)
        assert second.queued > timedelta(days=30)

    def test_leaves_the_workflow_its_own_clock(self) -> None:
        shop = Shop()
        before = shop.workflow.clock
        shop.simulation().run()

        assert shop.workflow.clock is before


class TestOutside:
    """Of a workflow whose other steps are not here, the events of others are published by hand."""

    def test_events_of_others_are_published_by_hand(self, tmp_path: Path) -> None:
        others = loop(3)
        export(others, tmp_path)
        alone = Workflow("loop", contracts=tmp_path)

        @alone.step(on="Stopped", emits="Archived")
        def archive(start: Number) -> Text:
            return Text(text=f"began with {start.number}")

        elsewhere = Simulation(others)
        elsewhere.start(Number(number=1), workflow_id="1")
        stopped = bytes(elsewhere.run().final("1"))
        simulation = Simulation(alone, duplicate=1.0)
        simulation.publish(Outgoing("Stopped", stopped, {}))

        assert simulation.run().events("1") == ["Stopped", "Archived"]
        assert simulation.final("1").state()["text"] == "began with 1"

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (b"{}", "expected an Avro single-object encoding"),
            (
                bytes(Envelope.begin("shop", "1", started_at=0)),
                "expected an envelope with a contribution, got an empty",
            ),
        ],
    )
    def test_what_is_no_event_is_refused(self, body: bytes, text: str) -> None:
        with pytest.raises(WireError, match=text):
            Shop().simulation().publish(Outgoing("Ordered", body, {}))


class TestTransaction:
    @pytest.mark.parametrize("is_async", [False, True])
    def test_is_what_the_test_gives(self, is_async: bool) -> None:
        workflow, written = Workflow("shop", contracts="/nonexistent"), list[str]()
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Noted")
        def note(order: Text, context: StepContext) -> Text:
            context.transaction.append(order.text)
            return order

        simulation = Simulation(workflow, transaction=lambda: written)
        simulation.start(Text(text="hello"), workflow_id="1")
        asyncio.run(simulation.arun()) if is_async else simulation.run()

        assert written == ["hello"]

    def test_is_missed_where_none_is_given(self) -> None:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Noted")
        def note(order: Text, context: StepContext) -> Text:
            return Text(text=str(context.transaction))

        simulation = Simulation(workflow, raise_errors=True)
        simulation.start(Text(), workflow_id="1")
        with pytest.raises(WorkflowError, match="expected a store, whose transaction the handler wants"):
            simulation.run()


class TestAsync:
    @staticmethod
    def workflow() -> Workflow:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits="Paid")
        async def payment(order: Text) -> Number:
            await asyncio.sleep(0)
            return Number(number=7)

        @workflow.step(on="Paid", emits="Told")
        def letter(payment: Number) -> Text:
            return Text(text=str(payment.number))

        return workflow

    @pytest.mark.parametrize("chaos", [{}, CHAOS | {"seed": 3}])
    def test_handlers_run_on_the_loop_of_the_test_or_on_one_of_their_own(self, chaos: dict[str, Any]) -> None:
        async def on_a_loop() -> Simulation:
            simulation = Simulation(self.workflow(), **chaos)
            simulation.start(Text(), workflow_id="1")
            return await simulation.arun()

        simulation = Simulation(self.workflow(), **chaos)
        simulation.start(Text(), workflow_id="1")
        assert simulation.run().final("1") == asyncio.run(on_a_loop()).final("1")
        assert simulation.final("1").state() == {"text": "7", "number": 7}

    def test_both_are_stopped_when_there_is_no_end(self) -> None:
        simulation = Simulation(loop(10**9))
        simulation.start(Number(number=0), workflow_id="1")

        with pytest.raises(WorkflowError, match="within 20 deliveries"):
            asyncio.run(simulation.arun(at_most=20))
