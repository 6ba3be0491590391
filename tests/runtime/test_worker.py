"""Workers as a whole, in threads of their own: over a database, over brokers, and over both."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, text

from examples.ticket import intake, ticket
from stamp import Envelope, Fail, StepContext, Workflow
from stamp.errors import InputError, StoreError, WorkflowError
from stamp.runtime.brokers import transport
from stamp.runtime.player import play
from stamp.runtime.policy import Policy
from stamp.runtime.publisher import Publisher
from stamp.runtime.retry import Retry
from stamp.runtime.staff import topology_of
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Transport
from stamp.runtime.unresolved import unresolved
from stamp.runtime.worker import Worker
from stamp.store import dead_letters, directory, finals
from stamp.store.store import Store
from stamp.workflow import export
from stamp.workflow.announcement import folder_documents

from ..store.conftest import DATABASES, POSTGRESQL  # noqa: TID252 - tests are no package that could be imported by its name
from .protocol.broker import SimulatedBroker
from .transports.brokers import RABBITMQ, REDIS, TABLE
from .transports.proxy import Proxy

PATIENCE = 30.0
"""Seconds to wait for what must come; nobody waits so long unless something is wrong."""

POLICY = Policy(resend=1, retry=Retry(first=0.01, longest=0.1), grace=PATIENCE)


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["file", "postgresql"])
def store(request, tmp_path, stack) -> Store:
    return open_store(stack, tmp_path, request.param)


def open_store(stack: ExitStack, folder: Path, kind: str) -> Store:
    return stack.enter_context(Store.open(stack.enter_context(DATABASES[kind](folder))))


# The example, from the first event to the last


@pytest.fixture(scope="module")
def tickets(root: Path) -> list[intake.Ticket]:
    # split at "\n" alone: str.splitlines() also ends a line at U+0085 and U+2028, which are in these texts
    content = (root / "examples/ticket/tickets.jsonl").read_bytes().decode()
    lines = map(json.loads, content.removesuffix("\n").split("\n"))
    return {line["workflow_id"]: intake.Ticket.model_validate(line) for line in lines}


def renamed(workflow: Workflow, name: str) -> Workflow:
    """Return a workflow with the steps of another one, and so with queues of its own."""
    other = Workflow(name, namespace=workflow.namespace, contracts="/nowhere")
    other._steps.update(workflow.steps)
    other.reload()
    return other


def starts(workflow, tickets):
    return [workflow.start(each, workflow_id=run) for run, each in tickets.items()]


def told(body: bytes):
    """Return what a final event says, but for the times: the run, and for each step its event and its words."""
    envelope = Envelope.from_bytes(body)
    return envelope.workflow_id, tuple((each.step, each.event, each.payload) for each in envelope.contributions)


def expected(workflow, tickets):
    return sorted(told(played.body) for played in play(workflow, starts(workflow, tickets)))


def ended(store: Store):
    with store.read() as connection:
        return sorted(told(each.body) for each in finals.find(connection))


def count_ended(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(text("SELECT count(*) FROM stamp_final")).scalar_one()


@pytest.mark.parametrize("concurrency", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_the_example_ends_as_it_should_over_a_database_alone(store, tickets, name, concurrency):
    workflow = renamed(ticket, name)
    with Publisher(workflow, store=store) as publisher:
        publisher.publish(*starts(workflow, tickets))

    with Worker(workflow, store=store, policy=Policy(concurrency=concurrency)) as worker:
        wait_until(lambda: count_ended(store) == len(tickets))

    assert ended(store) == expected(workflow, tickets)
    assert worker.failure is None


@contextmanager
def broker_of(kind: str, folder: Path, name: str, workflow: Workflow) -> Iterator[Transport]:
    """Yield a real broker, which has nothing left of `workflow` afterwards."""
    with ExitStack() as stack:
        TABLE[kind].open(stack, folder, name)
        if kind == "rabbitmq":
            stack.callback(forget_queues, topology_of(workflow))
        yield transport({"rabbitmq": RABBITMQ, "redis": REDIS}[kind])


def forget_queues(topology: Topology, *more: str) -> None:
    import amqp

    parts = urlsplit(RABBITMQ)
    with amqp.Connection(f"{parts.hostname}:{parts.port or 5672}", parts.username, parts.password) as connection:
        channel = connection.channel()
        for queue in (*(each.name for each in topology.queues), *more):
            channel.queue_delete(queue)
            channel.queue_delete(f"{queue}.dead")


@pytest.mark.parametrize("kind", ["rabbitmq", "redis"])
@pytest.mark.parametrize("concurrency", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_the_example_ends_as_it_should_over_a_broker_with_a_store(kind, tickets, name, tmp_path, stack, concurrency):
    workflow, store = renamed(ticket, name), open_store(stack, tmp_path, "file")
    broker = stack.enter_context(broker_of(kind, tmp_path, name, workflow))
    with Publisher(workflow, broker=broker, store=store) as publisher:
        publisher.publish(*starts(workflow, tickets))

    with Worker(workflow, broker=broker, store=store, policy=Policy(resend=1, concurrency=concurrency)):
        wait_until(lambda: count_ended(store) == len(tickets))
        wait_until(lambda: not waiting(store))

    assert ended(store) == expected(workflow, tickets)


def waiting(store: Store) -> int:
    """Count what is not done, and what is not known to have been received."""
    with store.read() as connection:
        left = connection.execute(text("SELECT count(*) FROM stamp_inbox WHERE state < 2")).scalar_one()
        return left + connection.execute(text("SELECT count(*) FROM stamp_outbox")).scalar_one()


def test_services_with_stores_of_their_own_work_together_over_a_broker(tickets, name, tmp_path, stack):
    workflow = renamed(ticket, name)
    broker = stack.enter_context(broker_of("rabbitmq", tmp_path, name, workflow))
    stores = {step: Store.open(f"sqlite:///{tmp_path}/{step}.db") for step in workflow.steps if step != "ticket"}
    for step, store in stores.items():
        stack.enter_context(store)
        stack.enter_context(Worker(workflow, steps=[step], broker=broker, store=store, policy=POLICY))
    with Publisher(workflow, broker=broker) as publisher:
        publisher.publish(*starts(workflow, tickets))

    wait_until(lambda: sum(map(count_ended, stores.values())) == len(tickets))

    assert sorted(each for store in stores.values() for each in ended(store)) == expected(workflow, tickets)


@pytest.mark.parametrize("concurrency", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_the_example_ends_as_it_should_over_rabbitmq_without_a_store(tickets, name, tmp_path, stack, concurrency):
    workflow = renamed(ticket, name)
    broker = stack.enter_context(broker_of("rabbitmq", tmp_path, name, workflow))
    known = topology_of(workflow)
    events = (event for step in workflow.steps.values() for event in (*step.emits, step.fails))
    ends = [event for event in events if not known.listeners(event)]
    audited = Topology(known.exchange, (*known.queues, *Topology.of(name, {"audit": ends}).queues))
    stack.callback(forget_queues, known, f"{name}.audit")
    audit = broker.receiver(audited, [f"{name}.audit"], prefetch=1_000)
    stack.callback(audit.close)
    with Publisher(workflow, broker=broker) as publisher:
        publisher.publish(*starts(workflow, tickets))

    bodies = []
    with Worker(workflow, broker=broker, policy=Policy(concurrency=concurrency)):
        wait_until(lambda: bodies.extend(each.body for each in audit.receive(0.1)) or len(bodies) >= len(tickets))

    assert sorted(map(told, bodies)) == expected(workflow, tickets)


# A workflow of our own


class Number(BaseModel):
    value: int


class Sum(BaseModel):
    value: int


class Counting:
    """A workflow of one step, which counts what it does in the database, and does beside it what a test says."""

    def __init__(self, store: Store | None, *, name: str = "counting") -> None:
        self.store, self.during = store, lambda context: None
        self.workflow = Workflow(name, contracts="/nowhere")
        self.workflow.starts("number", Number, emits="Given")

        @self.workflow.step(on="Given", emits="Added")
        def add(number: Number, context: StepContext) -> Sum:
            if context.begin is not None:
                context.transaction.execute(COUNT, {"run": context.workflow_id})
            self.during(context)
            return Sum(value=number.value + 1)

        if store is not None:
            with store.begin() as transaction:
                transaction.execute(text("CREATE TABLE counted (run TEXT)"))

    def give(self, *runs: object, broker: Transport | None = None) -> None:
        with Publisher(self.workflow, store=self.store, broker=broker) as publisher:
            publisher.publish(*(self.workflow.start(Number(value=1), workflow_id=str(run)) for run in runs))

    def worker(self, **options) -> Worker:
        return Worker(self.workflow, **{"store": self.store, "policy": POLICY, **options})

    @property
    def counted(self) -> Counter[str]:
        with self.store.read() as connection:
            return Counter(connection.execute(text("SELECT run FROM counted")).scalars())

    @property
    def letters(self) -> list[dead_letters.DeadLetter]:
        with self.store.read() as connection:
            return list(dead_letters.find(connection))


COUNT = text("INSERT INTO counted (run) VALUES (:run)")
ONCE = {str(run): 1 for run in range(200)}


@pytest.fixture
def counting(store) -> Counting:
    return Counting(store)


def test_workers_share_the_work_and_each_is_done_once(counting):
    with counting.worker(policy=Policy(concurrency=2)), counting.worker():
        counting.give(*range(200))
        wait_until(lambda: count_ended(counting.store) == 200)

    assert counting.counted == ONCE


def test_handlers_run_at_the_same_time(counting):
    together = threading.Barrier(3, timeout=PATIENCE)
    counting.workflow._steps.clear()
    counting.workflow.starts("number", Number, emits="Given")

    @counting.workflow.step(on="Given", emits="Added")
    def add(number: Number) -> Sum:
        together.wait()
        return Sum(value=2)

    counting.give(*range(3))
    with counting.worker(policy=Policy(concurrency=3)):
        wait_until(lambda: count_ended(counting.store) == 3)


def test_async_handlers_of_all_performers_run_on_one_loop(store):
    counting, loops = Counting(store), set()
    counting.workflow._steps.clear()
    counting.workflow.starts("number", Number, emits="Given")

    @counting.workflow.step(on="Given", emits="Added")
    async def add(number: Number, context: StepContext) -> Sum:
        loops.add(threading.get_ident())
        context.transaction.execute(COUNT, {"run": context.workflow_id})
        return Sum(value=2)

    counting.give(*range(200))
    with counting.worker(policy=Policy(concurrency=3)):
        wait_until(lambda: count_ended(store) == 200)

    assert len(loops) == 1
    assert counting.counted == ONCE


# Stopping


@pytest.fixture
def blocked(counting) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Have the handler say when it has been called, and wait until it is let go."""
    called, go = threading.Event(), threading.Event()

    def during(context):
        called.set()
        assert go.wait(PATIENCE)

    counting.during = during
    yield called, go
    go.set()


def test_what_a_handler_is_at_is_finished_and_the_rest_is_left(counting, blocked):
    called, go = blocked
    counting.give(*range(200))
    worker = counting.worker()
    worker.start()
    assert called.wait(PATIENCE)
    worker.stop()
    stopping = threading.Thread(target=worker.join)
    stopping.start()
    wait_until(worker._loops[0]._stopping.is_set)
    go.set()
    stopping.join(PATIENCE)

    done = counting.counted
    assert 0 < len(done) < 200
    assert count_ended(counting.store) == len(done)
    with counting.store.read() as connection:
        left = connection.execute(text("SELECT state, attempts FROM stamp_inbox WHERE state <> 2")).all()
    assert left == [(0, 0)] * (200 - len(done))


def test_nobody_begins_anything_new_while_one_handler_is_waited_for(counting):
    called, go = threading.Event(), threading.Event()

    def during(context):
        if context.workflow_id == "0":
            called.set()
            assert go.wait(PATIENCE)

    counting.workflow._steps.clear()
    counting.workflow.starts("number", Number, emits="Given")

    @counting.workflow.step(on="Given", emits="Added")
    def add(number: Number, context: StepContext) -> Sum:
        during(context)
        return Sum(value=2)

    counting.give(0)
    worker = counting.worker(policy=Policy(concurrency=3, grace=PATIENCE))
    worker.start()
    assert called.wait(PATIENCE)
    stopping = threading.Thread(target=worker.join)
    stopping.start()

    wait_until(lambda: sum(loop.is_alive for loop in worker._stages[0]) == 1)
    counting.give(*range(1, 10))
    go.set()
    stopping.join(PATIENCE)

    assert count_ended(counting.store) == 1


def test_a_handler_that_does_not_return_in_time_is_left_and_what_it_did_is_not_recorded(store, tmp_path):
    counting = Counting(store)
    counting.workflow._steps.clear()
    counting.workflow.starts("number", Number, emits="Given")
    called, go, attempts = threading.Event(), threading.Event(), []

    @counting.workflow.step(on="Given", emits="Added")
    def add(number: Number, context: StepContext) -> Sum:
        attempts.append(context.attempt)
        if context.attempt == 1:
            called.set()
            assert go.wait(PATIENCE)
        context.transaction.execute(COUNT, {"run": context.workflow_id})
        return Sum(value=2)

    policy = Policy(grace=0.01, lease=1)
    counting.give(1)
    worker = counting.worker(policy=policy)
    worker.start()
    assert called.wait(PATIENCE)
    worker.stop()
    assert not worker.join()
    assert worker.is_alive is False

    with counting.worker(policy=policy):
        wait_until(lambda: count_ended(store) == 1)
    go.set()
    assert worker._loops[0].join(PATIENCE)

    assert attempts == [1, 2]
    assert counting.counted == {"1": 1}


def test_it_stops_at_once_when_there_is_nothing_to_do(counting):
    worker = counting.worker()
    worker.start()
    assert worker.is_alive
    assert not worker.wait(0.01)
    worker.stop()

    assert worker.wait(0)
    assert worker.join()
    assert not worker.is_alive
    assert worker.failure is None


# Trouble


class Shaky(Store):
    """A database that is down when a test says so."""

    is_down = False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self._check()
        with super().begin() as transaction:
            yield transaction
            self._check()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self._check()
        with super().read() as connection:
            yield connection

    def _check(self) -> None:
        if self.is_down:
            raise StoreError("gone")


def test_a_database_may_go_away_and_come_back(tmp_path, stack):
    store = stack.enter_context(Shaky.open(f"sqlite:///{tmp_path}/shaky.db"))
    counting = Counting(store)
    counting.give(*range(200))

    def during(context):
        if context.workflow_id == "50" and context.attempt == 1 and not gone.is_set():
            gone.set()
            store.is_down = True

    gone = threading.Event()
    counting.during = during
    with counting.worker(policy=Policy(concurrency=2, retry=Retry(attempts=1))) as worker:
        assert gone.wait(PATIENCE)
        wait_until(lambda: any("gone" in trouble for trouble in worker.troubles))
        assert worker.is_alive
        store.is_down = False
        wait_until(lambda: count_ended(store) == 200)
        wait_until(lambda: not worker.troubles)

    assert counting.counted == ONCE
    assert counting.letters == []


def test_connections_to_a_database_may_be_cut(tmp_path, stack):
    url = stack.enter_context(DATABASES["postgresql"](tmp_path))
    port = urlsplit(POSTGRESQL).port or 5432
    proxy = Proxy(port)
    stack.callback(proxy.cut)
    counting = Counting(stack.enter_context(Store.open(url)))
    far = stack.enter_context(Store.open(url.replace(f":{port}", f":{proxy.port}")))
    counting.during = lambda context: (
        proxy.cut_connections() if context.workflow_id in {"30", "60"} and once(context.workflow_id) else None
    )
    seen = set()

    def once(run):
        return run not in seen and not seen.add(run)

    counting.give(*range(200))
    with counting.worker(store=far, policy=Policy(lease=2, retry=Retry(first=0.01, longest=0.1))):
        wait_until(lambda: count_ended(counting.store) == 200)

    assert counting.counted == ONCE


@pytest.mark.parametrize("with_store", [True, False])
def test_connections_to_a_broker_may_be_cut(tmp_path, stack, name, with_store):
    store = open_store(stack, tmp_path, "file") if with_store else None
    counting, calls = Counting(store, name=name), Counter()
    near = stack.enter_context(broker_of("rabbitmq", tmp_path, name, counting.workflow))
    parts = urlsplit(RABBITMQ)
    proxy = Proxy(parts.port or 5672)
    stack.callback(proxy.cut)
    far = transport(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl())

    def during(context):
        calls[context.workflow_id] += 1
        if context.workflow_id in {"30", "60"} and calls[context.workflow_id] == 1:
            proxy.cut_connections()

    counting.during = during
    counting.give(*range(200), broker=near)
    with counting.worker(broker=far) as worker:
        wait_until(lambda: set(calls) == set(ONCE))
        if store is not None:
            wait_until(lambda: not waiting(store))
        wait_until(lambda: not worker.troubles)

    if store is not None:
        assert counting.counted == ONCE


def test_a_bug_ends_the_worker_and_is_to_be_seen(counting):
    def at(point):
        if point == "before commit":
            raise RuntimeError("a bug")

    counting.give(1)
    with counting.worker(at=at) as worker:
        assert worker.wait(PATIENCE)
        wait_until(lambda: not worker.is_alive)
        assert isinstance(worker.failure, RuntimeError)


def test_a_worker_is_ready_until_it_is_told_to_stop(counting):
    with counting.worker() as worker:
        wait_until(lambda: worker.troubles == [])
        worker.stop()
        assert worker.troubles == ["stopping"]


def test_a_worker_whose_broker_is_gone_is_not_ready(counting):
    broker = SimulatedBroker(keeps=True)
    broker.stop()
    with counting.worker(broker=broker) as worker:
        wait_until(lambda: {"intake: nobody answers", "relay: nobody answers"} <= set(worker.troubles))
        broker.start()
        wait_until(lambda: worker.troubles == [])


# Refusals


def test_without_a_broker_and_a_store_there_is_nothing_to_work_with():
    with pytest.raises(InputError, match="got neither"):
        Counting(None).worker()


def test_a_broker_that_may_lose_messages_needs_a_store():
    with pytest.raises(InputError, match="expected a store beside simulated://"):
        Counting(None).worker(broker=SimulatedBroker(keeps=False))


@pytest.mark.parametrize(
    ("steps", "message"), [(["subtract"], "'subtract'"), (["number"], "'number'"), ([], "got none")]
)
def test_steps_that_it_cannot_perform_are_refused(counting, steps, message):
    with pytest.raises(WorkflowError, match=message):
        counting.worker(steps=steps)


def test_a_workflow_that_contradicts_itself_is_refused(counting):
    class Text(BaseModel):
        text: str

    @counting.workflow.step(on="Given", emits="Seen")
    def see(number: Text) -> Sum:
        return Sum(value=1)

    with pytest.raises(WorkflowError, match="can read nothing"):
        counting.worker()


def test_what_is_yet_to_come_is_told_when_a_worker_starts(counting, caplog, tmp_path):
    @counting.workflow.step(on="Later", emits="Seen")
    def see(later: Number | None) -> Sum:
        return Sum(value=1)

    assert warned(counting, caplog) == [
        "see: no run publishes 'Later' so far: it may come later, or the name is misspelt",
        "see: nobody declares the step 'later' so far: it may come later, or the name is misspelt",
    ]

    with counting.store.begin() as tx:
        directory.write(tx, "counting", folder_documents(contract_of(later_step(), tmp_path)), now=1)
    assert warned(counting, caplog) == []


def later_step() -> Workflow:
    workflow = Workflow("counting", contracts="/nowhere")
    workflow.starts("later", Number, emits="Later")
    return workflow


def contract_of(workflow: Workflow, folder: Path) -> Path:
    """Export the one step of a workflow, and return the folder of its contract."""
    export(workflow, folder)
    (step,) = workflow.steps
    return folder / workflow.name / step


def warned(counting, caplog) -> list[str]:
    caplog.clear()
    with counting.worker():
        return [
            each.getMessage() for each in caplog.records if each.name == "stamp.worker" and each.levelname == "WARNING"
        ]


def test_what_a_directory_may_have_is_not_told_while_it_cannot_be_read(counting):
    @counting.workflow.step(on="Later", emits="Seen")
    def see(later: Number | None) -> Sum:
        return Sum(value=1)

    broker = SimulatedBroker(keeps=True)
    assert len(unresolved(counting.workflow, broker, counting.store)) == 2
    broker.stop()
    assert unresolved(counting.workflow, broker, counting.store) == ()


@pytest.mark.parametrize("ends", [(), "Noted"])
def test_an_event_that_nobody_listens_to_is_told_once_where_ends_are_declared(counting, caplog, ends):
    @counting.workflow.step(on="Given", emits="Noted", ends=ends)
    def note(number: Number) -> Sum:
        if number.value > 1:
            raise Fail("no room")  # an event of failure is no loose end
        return Sum(value=number.value)

    with counting.worker():
        counting.give(1, 2)
        with Publisher(counting.workflow, store=counting.store) as publisher:
            publisher.publish(counting.workflow.start(Number(value=2), workflow_id="3"))
        wait_until(lambda: count_ended(counting.store) == 6)

    told = [each.getMessage() for each in caplog.records if each.name == "stamp.listeners"]
    expected = "counting: nobody is known to listen to Added, and add does not declare it as an end (ends=): runs end there until somebody listens"
    assert told == [expected] * bool(ends)
