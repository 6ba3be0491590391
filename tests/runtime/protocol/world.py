"""A workflow whose workers are real, and whose broker, clock and threads are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pydantic import BaseModel
from sqlalchemy import text

from stamp import StepContext, Workflow
from stamp.runtime.points import pass_by
from stamp.runtime.policy import Policy
from stamp.runtime.publisher import Publisher
from stamp.runtime.retry import Retry
from stamp.store import dead_letters, finals

from .broker import SimulatedBroker, nothing_happens
from .clock import Clock
from .moments import Death, Passing
from .store import SimulatedStore
from .worker import SimulatedWorker

POLICY = Policy(lease=30, resend=5, retry=Retry(attempts=1_000, first=1, longest=4, deaths=1_000))
LONG = 2 * POLICY.lease
"""Seconds after which a lease is over, whoever renewed it last."""

ROUNDS = 200
"""How many turns are more than enough."""

STEPS = ("payment", "packing", "receipt")
ENDS = ("Packed", "ReceiptSent")


class Order(BaseModel):
    item: str


class Paid(BaseModel):
    amount: int


class Packed(BaseModel):
    box: int


class Sent(BaseModel):
    address: str


class Shop:
    """A workflow of three steps, two of which listen to the same event, and what their handlers have done.

    `calls` are effects that no database can take back, `during` is called in each handler.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.during: Passing = nothing_happens
        self.workflow = Workflow("shop", contracts="/nowhere", clock=clock)
        self._define(self.workflow)

    def _define(self, shop: Workflow) -> None:
        shop.starts("order", Order, emits="Placed")

        @shop.step(on="Placed", emits="Paid")
        def payment(order: Order, context: StepContext) -> Paid:
            self._act(context)
            return Paid(amount=len(order.item))

        @shop.step(on="Paid", emits="Packed")
        def packing(order: Order, payment: Paid, context: StepContext) -> Packed:
            self._act(context)
            return Packed(box=payment.amount)

        @shop.step(on="Paid", emits="ReceiptSent")
        def receipt(payment: Paid, context: StepContext) -> Sent:
            self._act(context)
            return Sent(address="here")

    def _act(self, context: StepContext) -> None:
        self.calls[context.step, context.workflow_id] += 1
        if context.begin is not None:
            context.transaction.execute(EFFECT, {"step": context.step, "run": context.workflow_id})
        self.during(context.step)


TABLE = text("CREATE TABLE effect (step TEXT, run TEXT)")
EFFECT = text("INSERT INTO effect (step, run) VALUES (:step, :run)")
EFFECTS = text("SELECT step, run, count(*) FROM effect GROUP BY step, run")
LEFT = {
    "in the inbox": text("SELECT count(*) FROM stamp_inbox WHERE state < 2"),
    "in the outbox": text("SELECT count(*) FROM stamp_outbox"),
}


class World:
    """A shop, the clock that its workers see, their store and their broker, either of which may be None."""

    def __init__(
        self, shop: Shop, clock: Clock, *, store: SimulatedStore | None, broker: SimulatedBroker | None
    ) -> None:
        self.shop, self.clock, self.store, self.broker = shop, clock, store, broker
        self.runs: list[str] = []
        if store is not None:
            store.wipe()
            with store.begin() as transaction:
                transaction.execute(TABLE)

    def start(self, *runs: str) -> None:
        """Publish the first events of runs; of those that were started before, again."""
        self.runs += (run for run in runs if run not in self.runs)
        with Publisher(self.shop.workflow, broker=self.broker, store=self.store) as publisher:
            publisher.publish(*(self.shop.workflow.start(Order(item="lamp"), workflow_id=run) for run in runs))

    def worker(self, at: Passing = pass_by) -> SimulatedWorker:
        return SimulatedWorker(self.shop.workflow, store=self.store, broker=self.broker, policy=POLICY, at=at)

    def let_run(self, at: Passing = pass_by) -> None:
        """Have a worker take turns until all is done, or it never will be; when it dies, another one goes on after it."""
        worker = self.worker(at)
        for _ in range(ROUNDS):
            try:
                if worker.turn():
                    continue
            except Death:
                worker = self.worker(at)
            else:
                if not self.leftovers():
                    break
                self.clock.sleep(POLICY.lease + 1)
        worker.end()

    # -- what is to be seen from outside

    def effects(self) -> Counter[tuple[str, str]]:
        """Count what handlers wrote, of what was committed."""
        assert self.store is not None
        with self.store.read() as connection:
            return Counter({(step, run): number for step, run, number in connection.execute(EFFECTS)})

    def ends(self) -> Counter[tuple[str, str]]:
        """Count the events with which runs ended: those of the store, or those that a broker was asked to take."""
        if self.store is not None:
            with self.store.read() as connection:
                return Counter((each.event, each.workflow_id) for each in finals.find(connection))
        assert self.broker is not None
        offered = {(each.message.event, each.message.workflow_id) for each in self.broker.offered if not each.queues}
        return Counter(offered)

    def leftovers(self) -> list[str]:
        """Say what is not done yet."""
        left = ["in the broker"] if self.broker is not None and not self.broker.is_empty else []
        if self.store is not None:
            with self.store.read() as connection:
                left += [where for where, count in LEFT.items() if connection.execute(count).scalar()]
        return left

    def complaints(self) -> list[str]:
        """Say what is wrong when all is done: nothing, if every effect is there once, every run has ended, and nothing is left."""
        expected = Counter({(step, run): 1 for step in STEPS for run in self.runs})
        ends = Counter({(event, run): 1 for event in ENDS for run in self.runs})
        complaints = [f"something is left {where}" for where in self.leftovers()]
        if self.store is None:
            complaints += [f"{each} was never done" for each in expected - self.shop.calls]
        else:
            found = self.effects()
            complaints += [f"{each} is missing" for each in expected - found]
            complaints += [f"{each} happened {found[each]} times" for each in found - expected]
            with self.store.read() as connection:
                complaints += [f"dead: {each.letter}" for each in dead_letters.find(connection)]
        if self.ends() != ends:
            complaints.append(f"ended with {self.ends()}")
        return complaints
