"""What a workflow can rely on, whatever carries its events and whatever keeps its work: one suite over all ways to run it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from stamp import Envelope, Failure, Outcome, StepContext, Workflow
from stamp.envelope import wire
from stamp.envelope.contribution import encode
from stamp.errors import InputError, UnroutableError, UsedIdError
from stamp.runtime import Policy, Publisher, Retry, Worker
from stamp.store import Store, dead_letters, finals
from stamp.workflow.outgoing import Outgoing

from .brokers import POSTGRESQL, TABLE, Broker, Foreign, absent

ALONE = ("sqlite", "postgresql")
"""Stores over which steps work together without a broker."""

REAL = [name for name in TABLE if name not in {"kafka", "sqs"}]
"""Brokers that are there: a mock shows how a transport talks, and not how long a group of consumers takes to find its members."""

KEEPING = [name for name in REAL if TABLE[name].promises.keeps and TABLE[name].promises.buries]

WAYS = (
    [f"store {name}" for name in ALONE]
    + [f"{name} and a store" for name in REAL]
    + [f"{name} alone" for name in KEEPING]
)

LIKE_OTHERS = {
    *(f"{name} and a store" for name in ("postgresql", "sqlite", "filesystem")),
    *(f"{name} and a store each" for name in ("redis", "postgresql", "sqlite", "filesystem")),
    "sqlite alone",
}
"""What is put together of parts that other ways have, too: tried at night."""


def by_day(ways: Sequence[str]) -> list[Any]:
    """Return parameters for `ways`, of which some are slow."""
    return [pytest.param(way, marks=[pytest.mark.slow] if way in LIKE_OTHERS else []) for way in ways]


QUICK = Policy(retry=Retry(attempts=3, first=0.2, longest=0.2), lease=5, resend=0.3, grace=10)


class Order(BaseModel):
    text: str


class Note(BaseModel):
    about: str


@dataclass
class Shop:
    """Ordered goes to alpha and beta; alpha says Paid, which goes to beta and gamma. `calls` are of handlers: step, run, event, time.

    A run whose text begins with the name of a step fails there so many times as a number after it says.
    """

    workflow: Workflow
    broker: Broker | None
    store: Store | None
    calls: list[tuple[str, str, str, float]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.workflow.starts("order", Order, emits="Ordered")
        self.step("alpha", ["Ordered"], "Paid")
        self.step("beta", ["Ordered", "Paid"], "Told")
        self.step("gamma", ["Paid"], "Noted", ends="Noted")
        if self.store is not None:
            with self.store.begin() as tx:
                tx.execute(text("CREATE TABLE effects (step text, run text, event text)"))

    def step(self, name: str, on: list[str], emits: str, ends: str | tuple[()] = ()) -> None:
        def handle(order: Order, context: StepContext) -> Note:
            with self.lock:
                self.calls.append((name, context.workflow_id, context.event, time.monotonic()))
                tries = sum(call[:3] == (name, context.workflow_id, context.event) for call in self.calls)
            if self.store is not None:
                values = {"step": name, "run": context.workflow_id, "event": context.event}
                context.transaction.execute(text("INSERT INTO effects VALUES (:step, :run, :event)"), values)
            failing, _, times = order.text.partition(" ")
            if failing == f"{name}:{context.event}" and tries <= int(times):
                raise ConnectionError(f"try {tries}")
            return Note(about=order.text)

        self.workflow.step(on=on, emits=emits, name=name, ends=ends)(handle)

    def transport(self):
        return None if self.broker is None else self.broker.transport()

    def publish(self, *texts: str) -> list[Outgoing]:
        started = [self.workflow.start(Order(text=each), workflow_id=str(n)) for n, each in enumerate(texts)]
        with Publisher(self.workflow, broker=self.transport(), store=self.store) as publisher:
            publisher.publish(*started)
        return started

    def worker(self, **named) -> Worker:
        return Worker(self.workflow, broker=self.transport(), store=self.store, policy=QUICK, **named)

    def wait(self, is_done: Callable[[], bool], seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < until, self.calls
            time.sleep(0.01)

    def done(self) -> Counter[tuple[str, str, str]]:
        """What was done, as far as is known: with a store the effects, without one the calls."""
        if self.store is None:
            with self.lock:
                return Counter(call[:3] for call in self.calls)
        with self.store.read() as connection:
            return Counter(tuple(row) for row in connection.execute(text("SELECT * FROM effects")))

    def ends(self) -> dict[str, Envelope]:
        """The final events that the store has."""
        assert self.store is not None
        with self.store.read() as connection:
            found = list(finals.find(connection))
        return {each.event: Envelope.from_bytes(each.body, catalog=self.workflow.catalog) for each in found}

    def dead(self, *more: str) -> list[tuple[str, bytes]]:
        """The dead letters of the steps, and of `more`: the reason, where it is kept, and the body."""
        if self.store is not None:
            with self.store.read() as connection:
                return [(each.letter.reason, each.message.body) for each in dead_letters.find(connection)]
        assert self.broker is not None
        assert self.broker.letters is not None
        names = [f"{self.workflow.name}.{step}" for step in ("alpha", "beta", "gamma", *more)]
        self.buried += [
            (str(each.headers.get("stamp-reason")).partition(":")[0], each.body)
            for queue in names
            for each in self.broker.letters(queue)
        ]
        return self.buried

    buried: list[tuple[str, bytes]] = field(default_factory=list)


def of_runs(count: int) -> Counter[tuple[str, str, str]]:
    """What is done in so many runs without trouble."""
    works = [("alpha", "Ordered"), ("beta", "Ordered"), ("beta", "Paid"), ("gamma", "Paid")]
    return Counter((step, str(run), event) for run in range(count) for step, event in works)


@pytest.fixture(params=by_day(WAYS))
def shop(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> Iterator[Shop]:
    with ExitStack() as stack:
        what, _, beside = request.param.partition(" ")
        store = broker = None
        if what == "store":
            store = (
                open_postgresql(stack, name) if beside == "postgresql" else Store.open(f"sqlite:///{tmp_path}/stamp.db")
            )
        else:
            broker = TABLE[what].open(stack, tmp_path, name)
            if beside == "and a store":
                store = Store.open(f"sqlite:///{tmp_path}/stamp.db")
        if store is not None:
            stack.callback(store.close)
        yield Shop(Workflow(name, namespace="shop", contracts=tmp_path / "none"), broker, store)


def open_postgresql(stack: ExitStack, name: str) -> Store:
    engine = create_engine(make_url(POSTGRESQL).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    stack.callback(engine.dispose)
    schema = name[:60]
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    except OperationalError as error:
        absent(f"no PostgreSQL: {error}")

    def drop() -> None:
        with engine.connect() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))

    stack.callback(drop)
    options = {"options": f"-csearch_path={schema}"}
    return Store.open(make_url(POSTGRESQL).update_query_dict(options).render_as_string(hide_password=False))


def test_each_listener_does_each_event_once_though_starts_are_repeated_and_workers_change(shop: Shop) -> None:
    shop.publish(*"abcdefgh")
    with shop.worker(steps=["alpha"]):
        shop.wait(lambda: sum(shop.done().values()) >= 4)
    if shop.store is not None:  # without one, repeats are known to the process only
        shop.publish(*"abcdefgh")
    with shop.worker(), shop.worker():
        shop.wait(lambda: shop.done() == of_runs(8))
        time.sleep(0.2)

    assert shop.done() == of_runs(8)
    if shop.store is not None:
        assert len(shop.calls) == 32
        assert {"Told", "Noted"} == set(shop.ends())
        assert shop.ends()["Noted"].state() == {
            "text": shop.ends()["Noted"].read("order", Order).text,
            "about": shop.ends()["Noted"].state()["about"],
        }


def test_a_work_that_fails_rests_and_is_tried_again_and_its_run_waits_for_it(shop: Shop) -> None:
    shop.publish("beta:Ordered 2")
    with shop.worker():
        shop.wait(lambda: len(shop.calls) >= 6)
        shop.wait(lambda: shop.done() >= of_runs(1))

    tries = [at for step, _, event, at in shop.calls if (step, event) == ("beta", "Ordered")]
    assert len(tries) == 3
    assert all(later - earlier > 0.1 for earlier, later in pairwise(tries))
    if shop.store is not None:
        assert shop.done() == of_runs(1)
        of_beta = [event for step, _, event, _ in shop.calls if step == "beta"]
        assert of_beta == ["Ordered", "Ordered", "Ordered", "Paid"]


def test_the_last_attempt_leaves_a_dead_letter_as_it_came_and_a_failure_event(shop: Shop) -> None:
    shop.publish("gamma:Paid 99", "fine")
    with shop.worker():
        shop.wait(lambda: len(shop.dead()) == 1)
        shop.wait(lambda: shop.done() >= of_runs(2) - Counter([("gamma", "0", "Paid")]))

    [(reason, body)] = shop.dead()
    assert reason == "attempts-exhausted"
    buried = Envelope.from_bytes(body, catalog=shop.workflow.catalog)
    assert (buried.workflow_id, buried.contributions[-1].event) == ("0", "Paid")
    assert sum(call[:3] == ("gamma", "0", "Paid") for call in shop.calls) == 3
    if shop.store is not None:
        assert shop.done() == of_runs(2) - Counter([("gamma", "0", "Paid")])
        failed = shop.ends()["gamma.failed"]
        assert failed["gamma"].outcome is Outcome.FAILED
        assert failed.read("gamma", Failure).message == "try 3"
        assert failed.at("Paid") == buried


def test_a_declared_end_ends_the_run_and_those_who_listen_to_it_get_it_too(shop: Shop) -> None:
    shop.step("audit", ["Noted"], "Audited")
    shop.publish("a")
    with shop.worker():
        shop.wait(lambda: shop.done() == of_runs(1) + Counter([("audit", "0", "Noted")]))

    if shop.store is not None:
        assert set(shop.ends()) == {"Told", "Noted", "Audited"}
        assert shop.ends()["Audited"].at("Noted") == shop.ends()["Noted"]


def test_a_start_that_is_declared_as_an_end_needs_no_listener(shop: Shop) -> None:
    shop.workflow.starts("remark", Note, emits="Remarked", ends="Remarked")
    with Publisher(shop.workflow, broker=shop.transport(), store=shop.store) as publisher:
        publisher.publish(shop.workflow.start(Note(about="a"), workflow_id="1"))
    if shop.store is not None:
        assert set(shop.ends()) == {"Remarked"}


@pytest.mark.parametrize("shop", by_day([way for way in WAYS if not way.startswith("store")]), indirect=True)
def test_what_is_no_envelope_is_a_dead_letter_and_holds_up_nobody(shop: Shop) -> None:
    assert shop.broker is not None
    shop.publish("a")
    with shop.worker() as worker:
        shop.wait(lambda: shop.done() == of_runs(1))
        shop.broker.inject(
            f"{shop.workflow.name}.beta", Foreign(b"\x00 no envelope \xff", {"ce-type": "Ordered"}, "text/plain", None)
        )
        shop.wait(lambda: len(shop.dead()) == 1)
        assert not worker.wait(0)

    assert shop.dead()[0] == ("no-envelope", b"\x00 no envelope \xff")


def test_an_event_that_nobody_listens_to_is_refused(shop: Shop) -> None:
    shop.workflow.starts("hermit", Note, emits="Unheard")
    [ordered] = shop.publish("a")
    unheard = shop.workflow.start(Note(about="a"), workflow_id="9")
    with (
        Publisher(shop.workflow, broker=shop.transport(), store=shop.store) as publisher,
        pytest.raises(UnroutableError),
    ):
        publisher.publish(ordered, unheard)


@pytest.mark.parametrize("shop", by_day([f"{name} alone" for name in KEEPING]), indirect=True)
def test_a_handler_that_wants_a_transaction_where_there_is_no_store_has_a_reason_of_its_own(shop: Shop) -> None:
    @shop.workflow.step(on="Noted", emits="Archived")
    def archive(gamma: Note, context: StepContext) -> Note:
        context.transaction.execute(text("SELECT 1"))
        return gamma

    shop.publish("a")
    with shop.worker():
        shop.wait(lambda: len(shop.dead("archive")) == 1)
    [(reason, _)] = shop.dead()
    assert reason == "no-transaction"


def test_the_id_of_a_run_is_used_once(shop: Shop) -> None:
    shop.publish("a")
    with shop.worker():
        shop.wait(lambda: shop.done() == of_runs(1))
        if shop.store is not None:
            with pytest.raises(UsedIdError, match="got '0', which began with other content") as raised:
                shop.publish("b", "c")
            assert raised.value.workflow_ids == ("0",)
            shop.publish("a", "c")  # the same again is harmless
            shop.wait(lambda: shop.done() == of_runs(2))
            return
        shop.publish("b")  # nobody knows here; who works on it does
        shop.wait(lambda: len(shop.dead()) == 2)
    assert {reason for reason, _ in shop.dead()} == {"used-id"}
    assert shop.done() == of_runs(1)


@pytest.mark.parametrize("shop", ["rabbitmq and a store"], indirect=True)
def test_a_used_id_that_comes_from_elsewhere_is_a_dead_letter_of_each_listener(shop: Shop) -> None:
    with Publisher(shop.workflow, broker=shop.transport()) as elsewhere, shop.worker():
        elsewhere.publish(shop.workflow.start(Order(text="a"), workflow_id="0"))
        shop.wait(lambda: shop.done() == of_runs(1))
        elsewhere.publish(shop.workflow.start(Order(text="a"), workflow_id="0"))
        elsewhere.publish(shop.workflow.start(Order(text="b"), workflow_id="0"))
        shop.wait(lambda: len(shop.dead()) == 2)
    assert {reason for reason, _ in shop.dead()} == {"used-id"}
    assert shop.done() == of_runs(1)
    assert set(shop.ends()) == {"Told", "Noted"}


def overtaking(shop: Shop) -> Outgoing:
    """Return an event with the id of the first one of run 0 that begins no run."""
    begun = shop.workflow.start(Order(text="a"), workflow_id="0")
    header, _ = wire.read_header(begun.body)
    [said] = Envelope.from_bytes(begun.body).contributions
    spied = replace(said, step="spy", event="Spied", event_id=b"spied" + bytes(11))
    return begun._replace(body=wire.append(wire.append(wire.begin(header), encode(spied)), encode(said)))


@pytest.mark.parametrize("shop", ["rabbitmq and a store", "rabbitmq alone"], indirect=True)
def test_a_start_that_another_event_of_its_id_has_overtaken_is_a_dead_letter_of_each_listener(shop: Shop) -> None:
    with Publisher(shop.workflow, broker=shop.transport()) as elsewhere, shop.worker():
        elsewhere.publish(overtaking(shop))
        shop.wait(lambda: shop.done() == of_runs(1))
        elsewhere.publish(shop.workflow.start(Order(text="a"), workflow_id="0"))
        shop.wait(lambda: len(shop.dead()) == 2)
    assert {reason for reason, _ in shop.dead()} == {"used-event-id"}
    assert shop.done() == of_runs(1)


@pytest.mark.parametrize("transport", [name for name in REAL if name not in KEEPING])
def test_a_broker_that_may_lose_messages_needs_a_store(transport: str, tmp_path: Path, name: str) -> None:
    with ExitStack() as stack:
        shop = Shop(Workflow(name, contracts=tmp_path / "none"), TABLE[transport].open(stack, tmp_path, name), None)
        with pytest.raises(InputError, match="expected a store beside"):
            shop.worker()
        with pytest.raises(InputError, match="expected a store beside"):
            shop.publish("a")
