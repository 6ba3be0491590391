"""Law: whatever fails, repeats or is reordered, a simulation ends in the final events and dead letters of a worker over a store."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from examples.ticket import intake, ticket
from stamp import Envelope, Fail, StepContext, Workflow
from stamp.runtime import Policy, Publisher, Retry, Worker
from stamp.store import dead_letters, finals
from stamp.store.backlog import backlog
from stamp.store.dead_letters import DeadLetter
from stamp.store.store import Store
from stamp.testing import Simulation

RUNS = ("0", "1")
POLICY = Policy(retry=Retry(attempts=3, first=0.001, longest=0.002), lease=5)
PATIENCE = 30.0
"""Seconds to wait for what must come; nobody waits so long unless something is wrong."""


class Text(BaseModel):
    text: str = ""


class Number(BaseModel):
    number: int


Case = tuple[str, str, str]
"""A step, a run, and an event that the step gets."""


@dataclass
class Shop:
    """An order is packed and paid side by side, each is told about, and that is noted. `script` says how often what goes wrong, and what comes of it then."""

    script: Mapping[Case, tuple[int, str]]
    calls: Counter[tuple[str, bytes]] = field(default_factory=Counter)

    def workflow(self) -> Workflow:
        workflow = Workflow("shop", contracts="/nonexistent")
        workflow.starts("order", Text, emits="Ordered")

        @workflow.step(on="Ordered", emits=["Packed", "Weighed"])
        def packing(context: StepContext) -> Number:
            return self.result(context)

        @workflow.step(on="Ordered", emits="Paid", ends="Paid")
        def payment(context: StepContext) -> Number:
            return self.result(context)

        @workflow.step(on=["Packed", "Paid", "payment.failed", "packing.failed"], emits="Told")
        def letter(packing: Number | None, context: StepContext) -> Number:
            return self.result(context)

        @workflow.step(on=["Told", "letter.failed"])
        def note(context: StepContext) -> None:
            self.result(context)

        return workflow

    def result(self, context: StepContext) -> Any:
        troubles, end = self.script.get((context.step, context.workflow_id, context.event), (0, "well"))
        work = context.step, context.causes[0]
        self.calls[work] += 1
        if self.calls[work] <= troubles:
            raise ConnectionError(f"trouble {self.calls[work]}")
        if end == "fails":
            raise Fail("no", at=context.event)
        return (
            "not an answer" if end == "bug" else None if context.step == "note" else Number(number=len(context.event))
        )


CASES = [
    *(("packing", run, "Ordered") for run in RUNS),
    *(("payment", run, "Ordered") for run in RUNS),
    *(("letter", run, event) for run in RUNS for event in ("Packed", "Paid", "payment.failed", "packing.failed")),
    *(("note", run, event) for run in RUNS for event in ("Told", "letter.failed")),
]
scripts = st.dictionaries(
    st.sampled_from(CASES), st.tuples(st.integers(0, 4), st.sampled_from(["well", "fails", "bug"])), max_size=6
)
chances = st.sampled_from([0.0, 0.3, 1.0])


def ended(store: Store) -> bool:
    with store.read() as connection:
        return not any(each.waiting or each.at_work for each in backlog(connection).values())


def worked(workflow: Workflow, starts: Mapping[str, BaseModel]) -> tuple[list[Envelope], list[DeadLetter]]:
    """Return the final events and dead letters of a worker."""
    with closing(Store.open("sqlite://")) as store:
        with Publisher(workflow, store=store) as publisher:
            publisher.publish(*(workflow.start(first, workflow_id=run) for run, first in starts.items()))
        with Worker(workflow, store=store, policy=POLICY):
            until = time.monotonic() + PATIENCE
            while not ended(store):
                assert time.monotonic() < until, "it never came"
                time.sleep(0.002)
        with store.read() as connection:
            found = [Envelope.from_bytes(each.body, catalog=workflow.catalog) for each in finals.find(connection)]
            return found, list(dead_letters.find(connection))


def simulated(
    workflow: Workflow, starts: Mapping[str, BaseModel], **named: Any
) -> tuple[list[Envelope], list[DeadLetter]]:
    """Return the same of a simulation."""
    simulation = Simulation(workflow, policy=POLICY, **named)
    for run, first in starts.items():
        simulation.start(first, workflow_id=run)
    simulation.run()
    assert simulation.waiting == []
    return [each for run in starts for each in simulation.finals(run)], list(simulation.dead_letters)


def told(ends: list[Envelope]) -> Counter[tuple[Any, ...]]:
    """Return what final events say, apart from times."""
    return Counter(
        (each.workflow_id, *((c.step, c.event, c.event_id, c.outcome, c.payload) for c in each.contributions))
        for each in ends
    )


def written(dead: list[DeadLetter]) -> Counter[tuple[Any, ...]]:
    """Return what dead letters say, apart from times, and from attempts, which a death is one of."""
    return Counter(
        (each.consumer, each.message.workflow_id, each.message.event, each.message.event_id, *each.letter[:3])
        for each in dead
    )


@settings(max_examples=40, deadline=None)
@given(scripts, st.integers(0, 999), chances, chances, st.sampled_from([0.0, 0.2]))
def test_ends_are_those_of_a_worker(
    script: dict[Case, tuple[int, str]], seed: int, duplicate: float, reorder: float, crash: float
) -> None:
    starts = {run: Text(text=run) for run in RUNS}
    shop = Shop(script)
    real_finals, real_dead = worked(shop.workflow(), starts)
    chaos = Shop(script)
    ends, dead = simulated(chaos.workflow(), starts, seed=seed, duplicate=duplicate, reorder=reorder, crash=crash)

    assert told(ends) == told(real_finals)
    assert written(dead) == written(real_dead)
    if not crash:
        assert chaos.calls == shop.calls
        assert sorted((each.consumer, each.message.event_id, each.attempts) for each in dead) == sorted(
            (each.consumer, each.message.event_id, each.attempts) for each in real_dead
        )


@pytest.mark.parametrize("seed", range(3))
def test_of_the_example_as_well(seed: int, root: Any) -> None:
    lines = (root / "examples/ticket/tickets.jsonl").read_bytes().decode().split("\n")
    tickets = [intake.Ticket.model_validate_json(line) for line in lines[:10]]
    starts = {str(number): each for number, each in enumerate(tickets)}
    workflow = ticket.with_contracts("/nonexistent")
    real_finals, real_dead = worked(workflow, starts)
    ends, dead = simulated(workflow, starts, seed=seed, duplicate=0.3, reorder=0.5, crash=0.1)

    assert real_dead == dead == []
    assert told(ends) == told(real_finals)
