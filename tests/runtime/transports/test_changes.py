"""What running services survive while others are changed beside them, whatever carries the events: nobody is restarted, and nobody shares a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from stamp import StepContext, Workflow
from stamp.runtime import Policy, Publisher, Retry, Worker
from stamp.store import Store, dead_letters, directory

from .brokers import TABLE, Broker
from .test_ways import KEEPING, REAL, by_day, open_postgresql

WAYS = [
    "store sqlite",
    "store postgresql",
    *(f"{name} and a store" for name in REAL),
    *(f"{name} and a store each" for name in KEEPING),
    *(f"{name} alone" for name in KEEPING),
]

QUICK = Policy(retry=Retry(attempts=1, first=0.2, longest=0.2), lease=5, resend=0.3, grace=10)


class Order(BaseModel):
    x: int


class Wider(Order):
    note: str = ""


class Answer(BaseModel):
    y: int


@dataclass
class Town:
    """Services of one workflow, none of which has the contracts of another one. `calls` are what handlers saw: step and x."""

    name: str
    broker: Broker | None
    stores: Callable[[str], Store | None]
    folder: Path
    stack: ExitStack
    calls: list[tuple[str, int]] = field(default_factory=list)

    def service(self, name: str) -> Workflow:
        return Workflow(self.name, namespace="town", contracts=self.folder / name)

    def publisher(self, model: type[BaseModel] = Order) -> Callable[..., None]:
        """Return what starts runs with these values, as one process that goes on running."""
        workflow = self.service("order")
        workflow.starts("order", model, emits="Ordered")
        publisher = self.stack.enter_context(Publisher(workflow, broker=self.transport(), store=self.stores("order")))

        def publish(*values: int, **more: Any) -> None:
            starts = [workflow.start(model(x=x, **more), workflow_id=str(x)) for x in values]
            publisher.publish(*starts)

        return publish

    def run(self, step: str, on: str = "Ordered", emits: str | None = None, model: type[BaseModel] = Order) -> Worker:
        """Start a worker for `step`, which reads the order, and wait until it is ready."""
        workflow = self.service(step)

        def handle(order: model, context: StepContext) -> Answer:  # type: ignore[valid-type]
            self.calls.append((step, order.x))
            return Answer(y=order.x)

        handle.__annotations__["order"] = model
        workflow.step(on=on, emits=emits or f"{step}.done", name=step)(handle)
        worker = Worker(workflow, broker=self.transport(), store=self.stores(step), policy=QUICK)
        self.stack.enter_context(worker)
        self.wait(lambda: not worker.troubles)
        return worker

    def transport(self):
        return None if self.broker is None else self.broker.transport()

    def wait(self, is_done: Callable[[], bool], seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < until, self.calls
            time.sleep(0.01)

    def documents(self) -> dict[str, str]:
        """What is announced where the messages are."""
        store = self.stores("order")
        if self.broker is None:
            assert store is not None
            with store.read() as connection:
                return {key: each.text for key, each in directory.read(connection, self.name).items()}
        target = self.broker.transport().directory(self.name)
        try:
            return dict(target.read())
        finally:
            target.close()

    def dead(self, step: str) -> list[str]:
        """The reasons of the dead letters of a step, where they are kept in a store."""
        store = self.stores(step)
        if store is None:
            return []
        with store.read() as connection:
            return [each.letter.reason for each in dead_letters.find(connection)]


@pytest.fixture(params=by_day(WAYS))
def town(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Iterator[Town]:
    with ExitStack() as stack:
        what, _, beside = request.param.partition(" ")
        broker = None if what == "store" else TABLE[what].open(stack, tmp_path, name)
        opened: dict[str, Store] = {}

        def store_of(service: str) -> Store | None:
            if beside == "alone":
                return None
            key = service if beside == "and a store each" else "all"
            if key not in opened:
                opened[key] = (
                    open_postgresql(stack, name)
                    if beside == "postgresql"
                    else Store.open(f"sqlite:///{tmp_path}/{key}.db")
                )
                stack.callback(opened[key].close)
            return opened[key]

        with ExitStack() as services:
            yield Town(name, broker, store_of, tmp_path, services)


def test_a_step_that_is_deployed_later_gets_the_next_event(town: Town) -> None:
    town.run("first")
    publish = town.publisher()
    publish(1)
    town.wait(lambda: ("first", 1) in town.calls)

    town.run("late")
    town.run("later", on="first.done")
    publish(2)

    town.wait(lambda: {("first", 2), ("late", 2), ("later", 2)} <= set(town.calls))
    time.sleep(0.3)
    assert sorted(town.calls) == [("first", 1), ("first", 2), ("late", 2), ("later", 2)]


def test_what_a_later_release_writes_is_read_without_a_restart(town: Town) -> None:
    town.run("first")
    town.publisher()(1)
    town.wait(lambda: ("first", 1) in town.calls)

    town.publisher(Wider)(2, 3, note="new")

    town.wait(lambda: {("first", 2), ("first", 3)} <= set(town.calls))
    assert sorted(town.calls) == [("first", 1), ("first", 2), ("first", 3)]
    assert town.dead("first") == []


def test_a_step_that_comes_last_reads_what_was_written_before_anybody_knew_of_it(town: Town) -> None:
    town.run("first")
    publish = town.publisher(Wider)
    publish(1, note="new")
    town.wait(lambda: ("first", 1) in town.calls)

    town.run("late", on="first.done")
    publish(2, note="new")

    town.wait(lambda: ("late", 2) in town.calls)
    assert town.dead("late") == []


@pytest.mark.parametrize("town", by_day([way for way in WAYS if way.endswith("a store each")]), indirect=True)
def test_whoever_takes_a_contract_from_the_broker_keeps_it_in_its_own_store(town: Town) -> None:
    town.run("first")
    town.publisher(Wider)(1, note="new")
    town.wait(lambda: ("first", 1) in town.calls)

    store = town.stores("first")
    assert store is not None
    with store.read() as connection:
        keys = directory.read(connection, town.name, prefix="schema/")
    assert any(key.endswith("/order/Wider.v1.avsc") for key in keys)


@pytest.mark.parametrize("town", ["store sqlite", "rabbitmq and a store each", "redis and a store"], indirect=True)
def test_announcing_again_writes_nothing(town: Town) -> None:
    town.run("first")
    town.publisher()(1)
    town.wait(lambda: ("first", 1) in town.calls)
    before = town.documents()

    town.run("first")
    town.publisher()(2)
    town.wait(lambda: ("first", 2) in town.calls)

    assert town.documents() == before
