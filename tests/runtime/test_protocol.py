"""The protocol: what goes wrong, wherever it does, no effect is missing, and none is there twice.

Workers, relay, intake and keeper are real and take their turns when the test says so. Broker, clock and threads are simulated, the
store is SQLite in memory. One run of a workflow is played as often as there are moments at which something can go wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from stamp.runtime import keeper, pace, performer, relay, storeless
from stamp.runtime.intake import Intake
from stamp.runtime.relay import Relay
from stamp.runtime.storeless import StorelessPerformer
from stamp.store import inbox

from .protocol.broker import SimulatedBroker, nothing_happens
from .protocol.clock import Clock
from .protocol.machine import Protocol
from .protocol.moments import Moments, Passing, die, lose_the_broker, lose_the_database
from .protocol.store import SimulatedStore
from .protocol.world import LONG, Shop, World

WITH_A_STORE = ("embedded", "keeping", "losing")
"""No broker; one that keeps what it confirms, so that a confirm is a receipt; one that does not, so that inboxes have to tell."""

Blows = Mapping[str, Passing]
Trouble = Callable[[World], Blows]

KINDS = (*WITH_A_STORE, "storeless")


@dataclass(frozen=True)
class Theatre:
    """Plays the workflow in a new world each time."""

    shop: Shop
    clock: Clock
    store: SimulatedStore

    def world(self, kind: str) -> World:
        self.shop.calls.clear()
        self.shop.during = nothing_happens
        store = None if kind == "storeless" else self.store
        broker = None if kind == "embedded" else SimulatedBroker(keeps=kind != "losing")
        return World(self.shop, self.clock, store=store, broker=broker)

    def play(self, kind: str, trouble: Trouble, *fatal: int) -> tuple[list[str], list[str]]:
        """Play one run, with `trouble` at the moments that are numbered `fatal`; return the moments, and what is wrong at the end."""
        world = self.world(kind)
        world.start("4729")
        moments = Moments(trouble(world), fatal)
        if world.broker is not None:
            world.broker.at = moments.of("broker")
        if world.store is not None:
            world.store.at = moments.of("store")
        world.let_run(moments.of("worker"))
        return moments.passed, world.complaints()

    def failures(self, kind: str, trouble: Trouble) -> Iterator[str]:
        """Play one run as often as something can go wrong once in it; yield at what moment it was not mended, and how."""
        moments, complaints = self.play(kind, trouble)
        yield from (f"without any trouble: {complaint}" for complaint in complaints)
        for number, moment in enumerate(moments):
            _, complaints = self.play(kind, trouble, number)
            yield from (f"{number}, {moment}: {complaint}" for complaint in complaints)

    def failures_of_pairs(self, kind: str, trouble: Trouble, *, every: int) -> Iterator[str]:
        """The same for trouble that comes twice, for `every`th pair of moments."""
        count = 0
        for first in range(len(self.play(kind, trouble)[0])):
            for second in range(first + 1, len(self.play(kind, trouble, first)[0])):
                count += 1
                if count % every == 0:
                    _, complaints = self.play(kind, trouble, first, second)
                    yield from (f"{first} and {second}: {complaint}" for complaint in complaints)

    def failures_of_sleepers(self, kind: str) -> Iterator[str]:
        """Play one run as often as handlers are called; each time another call begins only when others have done the work."""
        number, slept = 0, True
        while slept:
            world = self.world(kind)
            world.start("4729")
            sleeper = Sleeper(world, number)
            world.let_run(sleeper)
            yield from (f"call {number}: {complaint}" for complaint in world.complaints())
            number, slept = number + 1, sleeper.slept
        assert number > 2


class Sleeper:
    """Passes points; before the call of a handler that has a number it sleeps through its lease, while another worker does everything."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number, self._count = world, number, 0
        self.slept = False

    def __call__(self, point: str) -> None:
        if point == "before handle" and not (self._world.store and self._world.store.is_in_transaction):
            self._count += 1
            if self._count - 1 == self._number:
                self.slept = True
                self._world.clock.sleep(LONG)
                self._world.let_run()


def a_worker_dies(world: World) -> Blows:
    return {"worker": die}


def a_connection_is_lost(world: World) -> Blows:
    return {"broker": lose_the_broker}


def the_broker_crashes(world: World) -> Blows:
    def crash(moment: str) -> None:
        assert world.broker is not None
        world.broker.crash()
        lose_the_broker(moment)

    return {"broker": crash}


def the_database_does_not_answer(world: World) -> Blows:
    return {"store": lose_the_database}


def anything_happens(world: World) -> Blows:
    return {**a_worker_dies(world), **a_connection_is_lost(world), **the_database_does_not_answer(world)}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def theatre(clock: Clock) -> Iterator[Theatre]:
    with SimulatedStore.open("sqlite://") as store:
        yield Theatre(Shop(clock), clock, store)


@pytest.fixture(autouse=True)
def simulated_time(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    for each in (pace, performer, relay, keeper, storeless):
        monkeypatch.setattr(each, "monotonic", clock.seconds)


TROUBLES = (a_worker_dies, a_connection_is_lost, the_broker_crashes, the_database_does_not_answer)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_missing_or_doubled_wherever_something_goes_wrong_once(theatre, kind, trouble):
    assert list(theatre.failures(kind, trouble)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "every"), [("embedded", 3), ("keeping", 16), ("losing", 16), ("storeless", 1)])
def test_nothing_is_missing_or_doubled_when_workers_die_twice(theatre, kind, every):
    assert list(theatre.failures_of_pairs(kind, a_worker_dies, every=every)) == []


@pytest.mark.parametrize("kind", WITH_A_STORE)
def test_a_worker_that_sleeps_through_its_lease_writes_nothing(theatre, kind):
    assert list(theatre.failures_of_sleepers(kind)) == []


def test_the_same_moments_are_passed_each_time(theatre):
    for kind in KINDS:
        assert theatre.play(kind, anything_happens)[0] == theatre.play(kind, anything_happens)[0] != []


# Anything, in any order


def play_anything(theatre: Theatre, kind: str, examples: int) -> None:
    class Machine(Protocol):
        def new_world(self) -> World:
            return theatre.world(kind)

    rules = settings(max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=rules)


@pytest.mark.parametrize("kind", WITH_A_STORE)
def test_whatever_happens_nothing_is_missing_or_doubled(theatre, kind):
    play_anything(theatre, kind, 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", WITH_A_STORE)
def test_whatever_happens_for_long_nothing_is_missing_or_doubled(theatre, kind):
    play_anything(theatre, kind, 100)


# Mutants: the simulation finds what it is there to find


def without_knowing_repeats(patch: pytest.MonkeyPatch) -> None:
    put = inbox.put

    def put_again(tx, entries, *, now):
        return put(tx, [(queue, each._replace(event_id=os.urandom(16))) for queue, each in entries], now=now)

    patch.setattr(inbox, "put", put_again)


def acknowledging_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    collect = Intake.collect

    def collect_and_acknowledge(self, limit):
        received = collect(self, limit)
        for each in received:
            each.receiver.acknowledge([each.arrival])
        return received

    patch.setattr(Intake, "collect", collect_and_acknowledge)


def never_sending_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Relay, "_overdue", lambda self: [])


def ignoring_fences(patch: pytest.MonkeyPatch) -> None:
    def complete(tx, works, *, now):
        for each in works:
            tx.execute(text("UPDATE stamp_inbox SET state = 2, done_at = 1 WHERE number = :it"), {"it": each.number})
        return ()

    patch.setattr(inbox, "complete", complete)


def marking_before_the_confirm(patch: pytest.MonkeyPatch) -> None:
    send = Relay._send

    def mark_and_send(self, sender, parcels):
        self._mark(parcels, [None] * len(parcels))
        return send(self, sender, parcels)

    patch.setattr(Relay, "_send", mark_and_send)


def taking_any_confirm_for_a_receipt(patch: pytest.MonkeyPatch) -> None:
    begin = Relay.__init__

    def believe(self, connect, store, *, keeps, **rest):
        begin(self, connect, store, keeps=True, **rest)

    patch.setattr(Relay, "__init__", believe)


def acknowledging_before_the_answer_is_confirmed(patch: pytest.MonkeyPatch) -> None:
    one = StorelessPerformer._one

    def settle_at_once(self, received):
        done = one(self, received)
        received.receiver.acknowledge([received.arrival])
        return done

    patch.setattr(StorelessPerformer, "_one", settle_at_once)


Mutant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    ("mutant", "kind", "trouble"),
    [
        (without_knowing_repeats, "keeping", a_worker_dies),
        (acknowledging_before_the_commit, "keeping", a_worker_dies),
        (never_sending_again, "keeping", a_worker_dies),
        (marking_before_the_confirm, "keeping", a_worker_dies),
        (taking_any_confirm_for_a_receipt, "losing", the_broker_crashes),
        (acknowledging_before_the_answer_is_confirmed, "storeless", a_worker_dies),
    ],
)
def test_a_mutant_is_found(theatre, monkeypatch, mutant: Mutant, kind, trouble):
    mutant(monkeypatch)

    assert any(theatre.failures(kind, trouble))


def test_a_mutant_without_fences_is_found(theatre, monkeypatch):
    ignoring_fences(monkeypatch)

    assert any(theatre.failures_of_sleepers("embedded"))
