"""Works: done, tried again, parked; in groups that commit together."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from stamp import Envelope, Fail, StepContext, Workflow
from stamp.errors import StoreError
from stamp.runtime import directory, missing_schemas, pace, performer
from stamp.runtime.answer import answered
from stamp.runtime.graveyard import StoreGraveyard, Wanted
from stamp.runtime.performer import Performer
from stamp.runtime.publisher import Publisher
from stamp.store import dead_letters, finals, inbox
from stamp.store import directory as directory_table
from stamp.store.store import Store

from ..store.conftest import DATABASES  # noqa: TID252 - tests are no package that could be imported by its name
from .protocol.broker import Copy, SimulatedBroker
from .protocol.clock import Clock
from .protocol.desk import Answer, Desk, Question, agree, note, of_another_release
from .protocol.moments import Death
from .protocol.store import SimulatedStore


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for each in (directory, missing_schemas, pace, performer):
        monkeypatch.setattr(each, "monotonic", clock.seconds)
    return clock


@pytest.fixture
def store():
    with SimulatedStore.open("sqlite://") as store:
        yield store


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


@pytest.fixture(params=["file", "postgresql"])
def served(request, tmp_path, clock):
    """A desk whose database has more than one connection."""
    with DATABASES[request.param](tmp_path) as url, Store.open(url) as store:
        yield Desk(store, clock)


def raising(*errors):
    """Return a handler that raises these, one at each call, and then agrees."""
    left = list(errors)

    def handler(context):
        note(context, f"attempt {context.attempt}")
        if left:
            raise left.pop(0)
        return agree(context)

    return handler


# Trying again


def test_a_work_is_tried_again_after_a_rest_that_gets_longer(desk, clock):
    desk.handler = raising(ValueError("no"), ValueError("no"))
    desk.ask(1)
    worker = desk.worker(attempts=3)

    for rest in (10, 20):
        desk.work(worker)
        clock.sleep(rest / 2 - 0.1)
        assert not worker.turn("performer")
        clock.sleep(rest / 2 + 0.1)
    desk.work(worker)

    assert desk.events == [("Answered", "1")]
    assert desk.notes == ["1", "attempt 3"]


def test_after_the_last_attempt_a_work_is_a_dead_letter_and_the_failure_is_published(desk, clock):
    desk.handler = raising(*[ValueError("no expert free")] * 2)
    desk.ask(1)

    for _ in range(2):
        desk.work(desk.worker(attempts=2))
        clock.sleep(40)

    [dead] = desk.letters
    assert (dead.consumer, dead.attempts) == ("desk.answer", 2)
    assert dead.letter[:3] == ("attempts-exhausted", "ValueError", "no expert free")
    assert "raise left.pop(0)" in dead.letter.traceback
    assert desk.events == [("answer.failed", "1")]
    assert desk.notes == []


def test_a_dead_letter_that_is_replayed_may_still_succeed_because_the_failure_has_another_id(desk):
    desk.handler = raising(ValueError("no"))
    desk.ask(1)
    worker = desk.worker(attempts=1)
    desk.work(worker)
    [dead] = desk.letters
    with desk.store.begin() as transaction:
        dead_letters.replay(transaction, dead, desk.clock())

    desk.work(worker)

    assert desk.events == [("Answered", "1"), ("answer.failed", "1")]
    with desk.store.read() as connection:
        assert len({each.event_id for each in finals.find(connection)}) == 2


def test_a_failure_of_business_is_an_answer_and_what_was_written_is_rolled_back(desk):
    desk.handler = raising(Fail("no expert free", team="workshop"))
    desk.ask(1)

    desk.work(desk.worker())

    assert desk.events == [("answer.failed", "1")]
    assert desk.letters == desk.notes == []
    with desk.store.read() as connection:
        [failed] = finals.find(connection)
    assert Envelope.from_bytes(failed.body).contributions[-1].attributes["error.message"] == "no expert free"


def test_an_error_that_would_come_again_is_not_tried_again(desk):
    desk.handler = lambda context: "not an answer"
    desk.ask(1)

    desk.work(desk.worker())

    [dead] = desk.letters
    assert (dead.letter.reason, dead.attempts) == ("undeclared-answer", 1)
    assert desk.events == [("answer.failed", "1")]


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError, MemoryError])
def test_a_handler_cannot_end_its_worker(desk, kind):
    desk.handler = raising(kind("enough"))
    desk.ask(1, 2)

    desk.work(desk.worker(attempts=1))

    [dead] = desk.letters
    assert dead.letter.error_type == kind.__name__
    assert desk.events == [("Answered", "2"), ("answer.failed", "1")]


class UnspeakableError(Exception):
    def __str__(self):
        raise AttributeError("message")


def test_an_error_that_cannot_be_told_is_one_like_any_other(desk, clock):
    desk.handler = raising(UnspeakableError(), UnspeakableError())
    desk.ask(1)

    for _ in range(2):
        desk.work(desk.worker(attempts=2))
        clock.sleep(40)

    [dead] = desk.letters
    assert "UnspeakableError" in dead.letter.error_type + dead.letter.error_message
    assert desk.events == [("answer.failed", "1")]


def test_of_a_long_error_only_the_beginning_is_kept(desk):
    desk.handler = raising(ValueError("\0" + "long " * 1_000_000))
    desk.ask(1)

    desk.work(desk.worker())

    with desk.store.read() as connection:
        assert connection.execute(text("SELECT length(error) FROM stamp_inbox")).scalar_one() < 3_000


# Deaths


def dying_after(count):
    """Return what kills a worker `count` times after it has called a handler."""
    left = [count]

    def at(point):
        if point == "after handle" and left[0]:
            left[0] -= 1
            raise Death(point)

    return at


def test_deaths_of_workers_are_counted_apart_from_failures(desk, clock):
    desk.handler = raising(*[ValueError("no")] * 3)
    at = dying_after(3)
    desk.ask(1)

    for _ in range(8):
        with suppress(Death):
            desk.work(desk.worker(at, attempts=4, deaths=4))
        clock.sleep(60)

    assert desk.letters == []
    assert desk.events == [("Answered", "1")]


def test_a_work_that_kills_its_workers_is_a_dead_letter_in_the_end(desk, clock):
    calls = []
    desk.handler = lambda context: calls.append(context.attempt) or agree(context)
    at = dying_after(100)
    desk.ask(1)

    for _ in range(3):
        with pytest.raises(Death):
            desk.work(desk.worker(at, attempts=1, deaths=3))
        clock.sleep(60)
    desk.work(desk.worker(at, attempts=1, deaths=3))

    [dead] = desk.letters
    assert dead.letter.reason == "worker-died"
    assert "3 that died" in dead.letter.error_message
    assert calls == [1, 2, 3]
    assert desk.events == [("answer.failed", "1")]
    assert desk.notes == []


# The database


def test_a_database_that_goes_away_uses_up_no_attempt(desk, store):
    desk.ask(1)
    worker = desk.worker(attempts=1)
    worker.turn("performer")
    store.at = failing("after transaction", "before transaction", "before transaction")

    desk.work(worker)

    assert desk.letters == []
    assert desk.events == [("Answered", "1")]
    assert desk.notes == ["1"]


def failing(*moments):
    """Return what a database passes that fails once at each of these moments."""
    left = list(moments)

    def at(moment):
        if left and left[0] == moment:
            left.pop(0)
            raise StoreError("gone")

    return at


class StrictStore(SimulatedStore):
    """Refuses poison when it is committed, and not before, as a deferred constraint does."""

    @contextmanager
    def begin(self):
        with super().begin() as transaction:
            yield transaction
            if inspect(transaction).has_table("note") and transaction.execute(POISONED).scalar():
                raise IntegrityError("COMMIT", None, ValueError("poison"))


POISONED = text("SELECT count(*) FROM note WHERE text = 'poison'")


@pytest.fixture
def strict(clock):
    with StrictStore.open("sqlite://") as store:
        yield Desk(store, clock)


@pytest.fixture
def deferred(clock, tmp_path):
    """The same with a real constraint."""
    with DATABASES["postgresql"](tmp_path) as url, Store.open(url) as store:
        desk = Desk(store, clock)
        with store.begin() as transaction:
            transaction.execute(text("CREATE UNIQUE INDEX once ON note (text)"))
            transaction.execute(
                text("ALTER TABLE note ADD CONSTRAINT once_late UNIQUE (text) DEFERRABLE INITIALLY DEFERRED")
            )
            transaction.execute(text("DROP INDEX once"))
        yield desk


@pytest.mark.parametrize("kind", ["strict", "deferred"])
def test_a_work_that_cannot_be_committed_is_the_only_one_that_suffers(request, clock, kind):
    desk = request.getfixturevalue(kind)
    calls = Counter()

    def handler(context):
        calls[context.workflow_id] += 1
        if context.workflow_id == "20":
            note(context, "poison")
            note(context, "poison")
        return agree(context)

    desk.handler = handler
    desk.ask(*range(50))
    worker = desk.worker(attempts=3)

    for _ in range(4):
        desk.work(worker)
        clock.sleep(40)

    [dead] = desk.letters
    assert (dead.message.workflow_id, dead.letter.reason, dead.letter.error_type) == (
        "20",
        "attempts-exhausted",
        "StoreError",
    )
    assert desk.notes == sorted(str(run) for run in range(50) if run != 20)
    assert len(desk.events) == 50
    assert calls.pop("20") == 4
    assert max(calls.values()) <= 2


def test_sql_that_fails_is_a_failure_of_its_work_alone_even_if_its_handler_goes_on(served):
    def handler(context):
        note(context)
        if context.workflow_id == "2":
            with suppress(SQLAlchemyError):
                context.transaction.execute(text("INSERT INTO nowhere VALUES (1)"))
            raise ValueError("no")
        return Answer(text="yes")

    served.handler = handler
    served.ask(1, 2, 3)

    served.work(served.worker(attempts=1))

    assert served.notes == ["1", "3"]
    assert [dead.message.workflow_id for dead in served.letters] == ["2"]


def test_a_handler_may_go_on_after_an_error_that_it_has_confined(served):
    def handler(context):
        with suppress(SQLAlchemyError), context.transaction.begin_nested():
            context.transaction.execute(text("INSERT INTO nowhere VALUES (1)"))
        return agree(context)

    served.handler = handler
    served.ask(1)

    served.work(served.worker(attempts=1))

    assert served.notes == ["1"]


def test_a_handler_does_not_commit(served, clock):
    def handler(context):
        note(context)
        if context.workflow_id == "2":
            context.transaction.commit()
        return Answer(text="yes")

    served.handler = handler
    served.ask(1, 2, 3)

    served.work(served.worker(attempts=1))

    [dead] = served.letters
    assert dead.message.workflow_id == "2"
    assert "commit" in dead.letter.error_message
    assert served.notes == ["1", "3"]


@pytest.mark.parametrize("word", ["ROLLBACK", "COMMIT"])
def test_a_handler_that_ends_the_transaction_by_itself_is_parked(served, clock, word):
    def handler(context):
        note(context)
        if context.workflow_id == "2":
            context.transaction.exec_driver_sql(word)
        return Answer(text="yes")

    served.handler = handler
    served.ask(1, 2, 3)
    worker = served.worker(attempts=1)

    for _ in range(3):
        served.work(worker)
        clock.sleep(40)

    assert [dead.message.workflow_id for dead in served.letters] == ["2"]
    assert served.events == [("Answered", "1"), ("Answered", "3"), ("answer.failed", "2")]


def test_a_handler_that_ends_the_connection_is_parked(clock, tmp_path):
    def handler(context):
        note(context)
        if context.workflow_id == "2":
            context.transaction.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return Answer(text="yes")

    with DATABASES["postgresql"](tmp_path) as url, Store.open(url) as store:
        desk = Desk(store, clock)
        desk.handler = handler
        desk.ask(*range(5))
        worker = desk.worker(attempts=2)
        for _ in range(3):
            desk.work(worker)
            clock.sleep(40)

        [dead] = desk.letters
        assert (dead.message.workflow_id, dead.letter.reason) == ("2", "attempts-exhausted")
        assert desk.notes == ["0", "1", "3", "4"]


# Order


def test_events_of_a_run_are_worked_on_in_the_order_in_which_they_came(desk, clock):
    seen = []

    def handler(context):
        seen.append((context.workflow_id, context.event))
        if len(seen) == 1:
            raise ValueError("no")
        return Answer(text="yes")

    desk.handler = handler
    desk.ask(1)
    desk.remind(1)
    desk.ask(2)
    worker = desk.worker()
    desk.work(worker)
    clock.sleep(10)
    desk.work(worker)

    assert seen == [("1", "Asked"), ("2", "Asked"), ("1", "Asked"), ("1", "Reminded")]


# Groups


def transactions(store):
    """Count the transactions that are committed from now on."""
    counted = []
    store.at = lambda moment: counted.append(moment) if moment == "after transaction" else None
    return counted


def test_many_quick_works_share_a_transaction(desk, store):
    desk.ask(*range(500))
    counted = transactions(store)

    desk.work(desk.worker())

    assert len(desk.events) == 500
    assert len(counted) < 20


def test_slow_works_have_one_each(desk, store, clock):
    def handler(context):
        clock.sleep(1)
        return agree(context)

    desk.handler = handler
    desk.ask(*range(20))
    counted = transactions(store)

    desk.work(desk.worker())

    assert len(counted) >= 20


def test_nobody_waits_for_a_slow_step_whose_own_work_is_done(store, clock):
    desk, seen = Desk(store, clock), []

    @desk.workflow.step(on="Asked", emits="Archived")
    def archive(context: StepContext) -> Answer:
        seen.append(len(desk.notes))
        clock.sleep(10)
        return Answer(text="done")

    worker = desk.worker()
    desk.ask(1)
    desk.work(worker)
    desk.ask(2)
    desk.work(worker)

    assert seen[-1] == 2


def test_a_work_that_takes_long_does_not_take_others_with_it(desk, clock):
    """Who is slow holds one work at a time: the others are free for somebody else."""

    def handler(context):
        clock.sleep(10)
        return agree(context)

    desk.handler = handler
    desk.ask(*range(10))
    slow, other = desk.worker(), desk.worker()
    for _ in range(3):
        slow.turn("performer")

    assert len(slow.performer.held) == 1
    assert other.turn("performer")
    assert len(other.performer.held) == 1


def test_who_becomes_slow_lets_go_of_what_it_has_no_time_for(desk, clock):
    desk.ask(*range(100))
    worker = desk.worker()
    while len(worker.performer.held) < 32:
        worker.turn("performer")

    def handler(context):
        clock.sleep(10)
        return agree(context)

    desk.handler = handler
    worker.turn("performer")

    assert len(worker.performer.held) == 1
    with desk.store.begin() as transaction:
        taken = inbox.take(transaction, [desk.queue], limit=100, now=clock(), lease=1)
    assert len(taken) == 100 - len(desk.events) - 1
    assert {work.attempt for work in taken} == {1}


def test_there_is_nothing_to_do_when_nothing_is_due(desk):
    worker = desk.worker()

    assert not worker.turn("performer")
    desk.ask(1)
    desk.worker().turn("performer")
    assert not worker.turn("performer")


# The end


def test_what_is_held_at_the_end_is_free_for_others_and_was_no_attempt(desk):
    desk.ask(*range(10))
    worker = desk.worker()
    while len(worker.performer.held) < 2:
        worker.turn("performer")
    before = len(desk.events)

    worker.performer.release()

    assert worker.performer.held == ()
    with desk.store.begin() as transaction:
        taken = inbox.take(transaction, [desk.queue], limit=100, now=desk.clock(), lease=1)
    assert [work.attempt for work in taken] == [1] * (10 - before)


def test_nothing_is_taken_in_a_turn_that_takes_nothing(desk):
    desk.ask(*range(3))
    worker = desk.worker()
    worker.turn("performer")

    assert worker.performer.turn(take=False)

    assert len(desk.events) == 1
    assert worker.performer.held == ()
    assert not worker.performer.turn(take=False)


def test_what_failed_at_the_end_is_noted(strict, clock):
    strict.handler = lambda context: note(context, "poison") or Answer(text="yes")
    strict.ask(1)
    worker = strict.worker(attempts=1)
    worker.turn("performer", "performer")

    worker.performer.release()

    assert [dead.attempts for dead in strict.letters] == [1]


# What a broker gives out


@pytest.fixture
def posted(store, clock):
    """A desk with a broker."""
    return Desk(store, clock, broker=SimulatedBroker(keeps=True))


def test_what_arrived_while_a_handler_is_at_work_is_free_for_others(posted):
    worker, order = posted.worker(), []
    other = Performer(worker.performer.office)

    def handler(context):
        if context.workflow_id == "1":
            while other.turn():
                pass
        order.append(context.workflow_id)
        return Answer(text="yes")

    posted.handler = handler
    posted.ask(1)
    worker.turn("intake", "performer")
    posted.ask(2)
    worker.turn("intake", "performer")

    assert order == ["2", "1"]


FOREIGN = {
    "no envelope": (Copy("desk.answer", b"hello"), "no-envelope"),
    "nothing": (Copy("desk.answer", b""), "no-envelope"),
    "another type": (Copy("desk.answer", b"{}", content_type="application/json"), "no-envelope"),
    "no type": (Copy("desk.answer", b"{}", content_type=None, content_encoding=None), "no-envelope"),
    "compressed": (Copy("desk.answer", b"x\x9c+I-.\x01", {"compression": "application/x-gzip"}), "no-envelope"),
    "too large": (Copy("desk.answer", b"\xc3\x01" * 200_000), "too-large"),
    "headers that no database takes": (
        Copy("desk.answer", b"hi", {"ce-type": "a\0\ud800", "\udfff": "\0"}),
        "no-envelope",
    ),
    "headers of other types": (Copy("desk.answer", b"hi", {"ce-type": 7, "x": [1, {}]}), "no-envelope"),
}


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_is_no_event_becomes_a_dead_letter_as_it_came(posted, foreign):
    copy, reason = FOREIGN[foreign]
    worker = posted.worker()
    posted.broker.put(copy)
    posted.broker.put(copy)
    posted.ask(1)

    posted.work(worker)

    [dead] = posted.letters
    assert (dead.letter.reason, dead.consumer, dead.message.body) == (reason, "desk.answer", copy.body)
    assert dead.message.workflow_id == ""
    assert posted.events == [("Answered", "1")]
    assert posted.broker.is_empty


def test_an_event_of_another_workflow_becomes_a_dead_letter(posted):
    other = Workflow("other", contracts="/nowhere")
    other.starts("question", Question, emits="Asked")
    body = other.start(Question(text="why?"), workflow_id="1").body
    posted.broker.put(Copy("desk.answer", body))

    posted.work(posted.worker())

    [dead] = posted.letters
    assert (dead.letter.reason, dead.message.workflow) == ("not-for-this-step", "other")
    assert posted.events == []


# Handlers that are async


class AsyncDesk(Desk):
    """A desk whose step is `async def`."""

    def _define(self, desk):
        desk.starts("question", Question, emits="Asked")

        @desk.step(on="Asked", emits="Answered")
        async def answer(context: StepContext) -> Answer:
            await asyncio.sleep(0)
            return self.handler(context)


@pytest.fixture
def closing():
    with ExitStack() as stack:
        yield lambda worker: stack.callback(worker.handlers.close) and worker


@pytest.mark.parametrize("kind", ["memory", "file", "postgresql"])
def test_what_an_async_handler_writes_is_committed_with_its_work(clock, tmp_path, closing, kind):
    with DATABASES[kind](tmp_path) as url, Store.open(url) as store:
        desk = AsyncDesk(store, clock)
        desk.handler = raising(ValueError("no"), Fail("no expert free"))
        desk.ask(*range(5))
        worker = closing(desk.worker())

        desk.work(worker)
        clock.sleep(10)
        desk.work(worker)

        assert sorted(desk.events) == [("Answered", str(run)) for run in (0, 2, 3, 4)] + [("answer.failed", "1")]
        assert [each for each in desk.notes if each.isdecimal()] == ["0", "2", "3", "4"]


def test_an_async_handler_is_not_awaited_while_a_transaction_is_open(clock, tmp_path, closing):
    with DATABASES["file"](tmp_path) as url, Store.open(url) as store:
        desk, open_before = AsyncDesk(store, clock), []

        def handler(context):
            with store.begin():  # waits for whoever has the only transaction that writes
                open_before.append(context.workflow_id)
            return agree(context)

        desk.handler = handler
        desk.ask(*range(4))

        desk.work(closing(desk.worker()))

        assert sorted(open_before) == desk.notes == ["0", "1", "2", "3"]


def test_async_handlers_that_write_nothing_share_a_transaction(store, closing, clock):
    desk = AsyncDesk(store, clock)
    desk.handler = lambda context: Answer(text="yes")
    desk.ask(*range(100))
    counted = transactions(store)

    desk.work(closing(desk.worker()))

    assert len(desk.events) == 100
    assert len(counted) < 20


def test_what_is_written_with_an_unknown_schema_waits_without_using_up_attempts(desk, clock):
    start, other = of_another_release()
    desk._publish(start)
    desk.remind(1)
    worker = desk.worker(attempts=1, deaths=1)
    for _ in range(20):
        desk.work(worker)
        clock.sleep(90)
    assert (desk.notes, desk.letters, desk.events) == ([], [], [])
    [trouble] = worker.staff.missing.troubles
    assert "desk.answer" in trouble
    assert "'question'" in trouble

    with Publisher(other, store=desk.store) as publisher:  # the service itself announces what it writes
        publisher.publish(start)
    worker.staff.missing.turn()

    desk.work(worker)
    assert desk.events == [("Answered", "1")] * 2
    assert worker.staff.missing.troubles == []


def test_nobody_asks_a_broker_for_a_schema_within_a_transaction(tmp_path, clock, monkeypatch):
    broker = SimulatedBroker(keeps=True)
    with Store.open(f"sqlite:///{tmp_path}/desk.db") as store:
        desk = Desk(store, clock, broker=broker)
        desk.ask(0)
        worker = desk.worker()
        desk.work(worker)  # it has announced itself
        start, other = of_another_release()
        with Publisher(other, broker=broker) as publisher:
            publisher.publish(start)
        worker.turn("intake")
        with monkeypatch.context() as patched:
            patched.setattr(broker, "directory", None)  # whoever would ask would fail
            for _ in range(3):
                worker.turn("performer")
        assert len(worker.staff.missing.troubles) == 1

        worker.staff.missing.turn()
        desk.work(worker)

        assert ("Answered", "1") in desk.events
        with store.read() as connection:
            kept = directory_table.read(connection, "desk", prefix="schema/")
        assert any(key.endswith("/question/Wide.v1.avsc") for key in kept)


def test_who_waits_for_a_schema_is_tried_less_and_less_often(desk, clock):
    start, _ = of_another_release()
    desk._publish(start)
    worker, tried = desk.worker(), []
    for _ in range(1_000):
        before = clock()
        desk.work(worker)
        with desk.store.read() as connection:
            [(not_before,)] = connection.execute(text("SELECT not_before FROM stamp_inbox"))
        if not_before > before and not_before not in tried:
            tried.append(not_before)
        clock.sleep(1)

    rests = [later - earlier for earlier, later in pairwise(tried)]
    assert len(tried) < 40
    assert max(rests) < 63_000_000


def test_who_comes_after_the_patience_for_schemas_waits_for_them_all_the_same(desk, clock):
    start, _ = of_another_release()
    desk._publish(start)
    clock.sleep(61)

    worker = desk.worker(schema_patience=60)
    desk.work(worker)
    assert desk.letters == []

    clock.sleep(61)
    desk.work(worker)
    assert [each.letter.reason for each in desk.letters] == ["unknown-schema"]


def test_after_the_patience_for_schemas_it_is_a_dead_letter_that_names_the_schemas(desk, clock):
    start, _ = of_another_release()
    desk._publish(start)
    worker = desk.worker(schema_patience=60)
    desk.work(worker)
    assert desk.letters == []
    clock.sleep(61)

    desk.work(worker)

    [dead] = desk.letters
    assert dead.letter.reason == "unknown-schema"
    assert dead.letter.writer.endswith(" (question)")
    assert dead.letter.reader == "Question (answer)"


def test_an_event_that_another_one_of_its_id_has_overtaken_becomes_a_dead_letter(posted, caplog):
    worker = posted.worker()
    posted.broker.put(Copy("desk.answer", posted.overtaking("1").body))
    posted.work(worker)
    posted.ask(1)
    [copy] = [each for link in posted.broker.links for each in link.out.values()] or posted.broker.queues["desk.answer"]
    posted.work(worker)
    posted.broker.put(copy)

    posted.work(worker)

    [dead] = posted.letters
    assert (dead.letter.reason, dead.message.workflow_id, dead.message.body) == ("used-event-id", "1", copy.body)
    assert posted.events == [("Answered", "1")]
    assert posted.broker.is_empty
    [told] = [each for each in caplog.records if each.name == "stamp.conflict"]
    id_ = copy.headers["ce-id"]
    assert (told.levelname, told.workflow_id, told.event_id) == ("ERROR", "1", id_)
    assert f"got {id_}, under which other content was taken before" in told.getMessage()


def test_an_overtaken_event_is_done_when_somebody_decides_so(posted, store):
    worker = posted.worker()
    posted.broker.put(Copy("desk.answer", posted.overtaking("1").body))
    posted.work(worker)
    posted.ask(1)
    posted.work(worker)
    [dead] = posted.letters
    calls = []
    posted.handler = lambda context: calls.append(context.workflow_id) or agree(context)

    with store.begin() as transaction:
        dead_letters.replay(transaction, dead, posted.clock())
    posted.work(worker)

    assert calls == ["1"]
    assert posted.letters == []


def test_the_same_event_with_other_times_and_traces_is_a_repeat(posted, clock):
    worker = posted.worker()
    posted.ask(1)
    posted.work(worker)
    clock.sleep(5)
    again = posted.workflow.start(
        Question(text="why?"), workflow_id="1", attributes={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    )
    posted.broker.put(Copy("desk.answer", again.body, {**again.headers, "x": "y"}))

    posted.work(worker)

    assert posted.letters == []
    assert posted.events == [("Answered", "1")]


def test_without_a_broker_an_overtaken_event_is_a_dead_letter_too(desk, store):
    forged = desk.overtaking("1")
    [message] = answered("desk", [forged])
    with store.begin() as transaction:
        inbox.put(transaction, [("desk.answer", message)], now=desk.clock())
    desk.ask(1)

    desk.work(desk.worker())

    assert [each.letter.reason for each in desk.letters] == ["used-event-id"]
    assert desk.events == [("Answered", "1")]


# Dead letters that are replayed, and rows of other hands


def replay(posted, store, *, runs=(None,)):
    graveyard = StoreGraveyard(store, posted.clock)
    return [graveyard.replay(list(graveyard.find(Wanted(workflow_id=run)))) for run in runs]


def without_type(posted, run="1"):
    return Copy("desk.answer", posted.workflow.start(Question(text="why?"), workflow_id=run).body, content_type=None)


@pytest.mark.parametrize("is_first", [True, False])
def test_an_event_that_was_refused_by_its_outside_is_worked_on_once_however_it_is_replayed(posted, store, is_first):
    worker, copy = posted.worker(), without_type(posted)
    posted.broker.put(copy)
    posted.work(worker)
    [dead] = posted.letters
    assert (dead.letter.reason, dead.message.workflow_id, dead.message.event) == ("no-envelope", "1", "Asked")
    if is_first:
        assert replay(posted, store, runs=["1"]) == [1]
        posted.work(worker)
    posted.ask(1)
    posted.work(worker)
    if not is_first:
        assert replay(posted, store, runs=["1"]) == [1]
        posted.work(worker)

    assert posted.letters == []
    assert posted.events == [("Answered", "1")]
    assert replay(posted, store) == [0]


def test_a_replayed_event_whose_id_has_other_content_is_dead_again_until_it_is_replayed_as_that(posted, store):
    worker = posted.worker()
    posted.broker.put(without_type(posted))
    posted.broker.put(Copy("desk.answer", posted.overtaking("1").body))
    posted.work(worker)

    assert replay(posted, store) == [1]
    posted.work(worker)

    assert [each.letter.reason for each in posted.letters] == ["used-event-id"]
    assert len(posted.events) == 1


def test_rows_of_other_hands_become_dead_letters_and_the_worker_goes_on(posted, store):
    with store.begin() as tx:
        tx.execute(
            text(
                "INSERT INTO stamp_inbox (number, state, attempts, arrived_at, consumer, event_id, workflow, workflow_id, event) "
                "VALUES (100, 0, 'abc', 'xyz', 'desk.answer', 'text', 'w', 'i', 'e')"
            )
        )
        tx.execute(
            text("INSERT INTO stamp_outbox VALUES (x'77', 'desk.answer', 0, 0, 0, 'w', 'i', 'e', '{bad', x'78')")
        )
    posted.ask(1)

    posted.work(posted.worker())

    assert posted.events == [("Answered", "1")]
    assert sorted((each.letter.reason, each.message.body) for each in posted.letters) == [
        ("no-envelope", b""),
        ("no-envelope", b"x"),
    ]
