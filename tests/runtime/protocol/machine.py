"""Anything that can happen to two workers, in any order."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stamp.errors import DeliveryError, StoreError
from stamp.runtime.points import POINTS

from .broker import Copy
from .moments import Death, lose_the_database
from .worker import SimulatedWorker
from .world import LONG, POLICY, STEPS, World

WORKERS = st.integers(0, 1)
NUMBERS = st.integers(0, 1_000_000)
PARTS = st.sampled_from(["performer", "intake", "relay", "keeper"])


class Somebody:
    """A worker, or nobody after its death. `at` is what happens at the points that it passes next."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fatal: str | None = None
        self._will_sleep: SimulatedWorker | None = None
        self.worker: SimulatedWorker | None = world.worker(self._at)

    def turn(self, *parts: str) -> None:
        if self.worker is not None:
            try:
                self.worker.turn(*parts)
            except Death:
                self.worker = None

    def revive(self) -> None:
        self._fatal = self._will_sleep = None
        if self.worker is None:
            self.worker = self._world.worker(self._at)

    def die(self) -> None:
        if self.worker is not None:
            self.worker.end()
            self.worker = None

    def die_at(self, point: str) -> None:
        self._fatal = point

    def sleep_while(self, other: SimulatedWorker) -> None:
        """Sleep before the next call of a handler for longer than a lease, while the other one works."""
        self._will_sleep = other

    def _at(self, point: str) -> None:
        if point == self._fatal:
            self._fatal = None
            raise Death(point)
        other = self._will_sleep
        assert self._world.store is not None
        if point == "before handle" and other is not None and not self._world.store.is_in_transaction:
            self._will_sleep = None
            self._world.clock.sleep(LONG)
            for _ in range(3):
                other.turn()
            other.end()


class Protocol(RuleBasedStateMachine):
    """No effect is ever there twice; in the end, when all troubles are over, each is there once."""

    def new_world(self) -> World:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.world = self.new_world()
        self.pair = Somebody(self.world), Somebody(self.world)
        self.delayed: list[Copy] = []
        self.world.start("0")

    # -- work

    @rule()
    def start(self) -> None:
        run = str(len(self.world.runs))
        try:
            self.world.start(run)
        except StoreError:  # nobody knows whether it was published
            with suppress(DeliveryError):
                self.world.start(run)
        except DeliveryError:  # it is in the outbox, so that it is sent when there is a broker
            pass

    @rule(who=WORKERS, part=PARTS)
    def turn(self, who: int, part: str) -> None:
        self.pair[who].turn(part)

    @rule(who=WORKERS)
    def turn_all(self, who: int) -> None:
        self.pair[who].turn("intake", "performer", "relay", "keeper")

    @rule(seconds=st.sampled_from([0.1, 1.0, POLICY.resend, POLICY.lease / 3, POLICY.lease, LONG]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)

    # -- workers

    @rule(who=WORKERS, point=st.sampled_from(POINTS))
    def die_at(self, who: int, point: str) -> None:
        self.pair[who].die_at(point)
        self.turn_all(who)

    @rule(who=WORKERS)
    def die(self, who: int) -> None:
        self.pair[who].die()

    @rule(who=WORKERS)
    def revive(self, who: int) -> None:
        self.pair[who].revive()

    @rule(who=WORKERS)
    def oversleep(self, who: int) -> None:
        self.pair[who].sleep_while(self.world.worker())
        self.turn_all(who)

    @rule(step=st.sampled_from(STEPS))
    def fail(self, step: str) -> None:
        """Have the next call of a handler raise, after it has written its effect."""

        def during(acting: str) -> None:
            if acting == step:
                self.world.shop.during = lambda _: None
                raise ValueError("out of paper")

        self.world.shop.during = during

    @rule(moment=st.sampled_from(["before transaction", "after transaction"]))
    def lose_the_database(self, moment: str) -> None:
        """Have the next transaction fail: it does not begin, or is committed and nobody is told."""

        def at(passed: str) -> None:
            if passed == moment:
                assert self.world.store is not None
                self.world.store.at = lambda _: None
                lose_the_database(passed)

        assert self.world.store is not None
        self.world.store.at = at
        self.turn_all(0)

    # -- the broker

    has_broker = precondition(lambda self: self.world.broker is not None)
    loses = precondition(lambda self: self.world.broker is not None and not self.world.broker.promises.keeps)

    @has_broker
    @rule()
    def stop(self) -> None:
        self.world.broker.stop()

    @has_broker
    @rule()
    def restart(self) -> None:
        self.world.broker.start()

    @has_broker
    @rule()
    def crash(self) -> None:
        self.world.broker.crash()

    @has_broker
    @rule(number=st.integers(1, 3))
    def refuse(self, number: int) -> None:
        self.world.broker.refusals = number

    @has_broker
    @rule(number=NUMBERS)
    def duplicate(self, number: int) -> None:
        for copy in self.some(number):
            self.world.broker.put(copy)

    @has_broker
    @rule(number=NUMBERS)
    def delay(self, number: int) -> None:
        for copy in self.some(number):
            self.world.broker.queues[copy.queue].remove(copy)
            self.delayed.append(copy)

    @has_broker
    @rule()
    def deliver_the_delayed(self) -> None:
        while self.delayed:
            self.world.broker.put(self.delayed.pop())

    @has_broker
    @rule(random=st.randoms(use_true_random=False))
    def reorder(self, random: Random) -> None:
        for queue in self.world.broker.queues.values():
            random.shuffle(queue)

    @loses
    @rule(number=NUMBERS)
    def lose(self, number: int) -> None:
        for copy in self.some(number):
            self.world.broker.queues[copy.queue].remove(copy)

    @loses
    @rule()
    def lose_what_is_given_out(self) -> None:
        for link in self.world.broker.links:
            link.out.clear()

    def some(self, number: int) -> list[Copy]:
        """Return one of the messages that wait in the broker, if there is any."""
        waiting = [copy for queue in self.world.broker.queues.values() for copy in queue]
        return [waiting[number % len(waiting)]] if waiting else []

    # -- the laws

    @invariant()
    def no_effect_is_there_twice(self) -> None:
        if hasattr(self, "world"):
            doubled = [each for each, count in self.world.effects().items() if count > 1]
            assert not doubled, doubled

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.end_all_troubles()
            self.world.let_run()
            complaints = self.world.complaints()
            assert not complaints, complaints

    def end_all_troubles(self) -> None:
        world = self.world
        world.shop.during = lambda _: None
        if world.store is not None:
            world.store.at = lambda _: None
        for somebody in self.pair:
            somebody.die()
        if world.broker is not None:
            world.broker.start()
            world.broker.refusals = 0
            self.deliver_the_delayed()
