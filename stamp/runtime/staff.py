"""Who works in a worker: what performs, receives, sends and keeps, put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from stamp.errors import InputError, WorkflowError
from stamp.runtime.announcer import Announcer
from stamp.runtime.bell import Bell
from stamp.runtime.directory import DirectorySource, StoreDirectory
from stamp.runtime.handlers import Handlers
from stamp.runtime.intake import Intake
from stamp.runtime.keeper import Keeper
from stamp.runtime.listeners import Listeners
from stamp.runtime.missing_schemas import MissingSchemas
from stamp.runtime.office import Office
from stamp.runtime.outlet import Local, Posted
from stamp.runtime.performer import Performer
from stamp.runtime.points import Passing
from stamp.runtime.policy import Policy
from stamp.runtime.recollection import Recollection
from stamp.runtime.relay import Relay
from stamp.runtime.storeless import StorelessPerformer
from stamp.runtime.topology import Topology
from stamp.runtime.tracking import BrokerDirectory, TrackingSender
from stamp.runtime.transport import Receiver, Sender, Transport
from stamp.schema.source import SchemaSource
from stamp.store import inbox
from stamp.store.store import Store
from stamp.workflow.workflow import Workflow

__all__ = ["Means", "Staff", "consumers_of", "may_lose", "sources_of", "topology_of"]


@dataclass(frozen=True, slots=True)
class Staff:
    """The parts of a worker, each of which takes its turns in a thread of its own."""

    performers: Sequence[Performer | StorelessPerformer]
    missing: MissingSchemas
    announcer: Announcer
    intake: Intake | None = None
    relay: Relay | None = None
    keeper: Keeper | None = None


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a worker has to work with. `consumers` are its steps by their queues."""

    workflow: Workflow
    topology: Topology
    consumers: Mapping[str, str]
    broker: Transport | None
    store: Store | None
    handlers: Handlers
    policy: Policy
    bell: Bell
    at: Passing

    @cached_property
    def announcer(self) -> Announcer:
        """Tells the others of the steps that are performed here."""
        return Announcer(self.workflow, self.consumers.values(), self.store)

    @cached_property
    def listeners(self) -> Listeners:
        """Who listens to what."""
        return Listeners(self.topology)

    def staff(self) -> Staff:
        """Return who works with it.

        Raises:
            InputError: there is neither a broker nor a store, or no store to make up for what the broker loses.
        """
        if self.store is not None:
            return self._around(self.store)
        if self.broker is None:
            raise InputError("expected a broker or a store, got neither: nothing would carry the events")
        if not (self.broker.promises.keeps and self.broker.promises.buries):
            raise may_lose(self.broker)
        return self._without_store(self.broker)

    def _around(self, store: Store) -> Staff:
        intake = None if self.broker is None else self._intake(self.broker)
        relay = None if self.broker is None else self._relay(self.broker, store)
        outlet = Local(self.listeners, self.bell.ring)
        posted = None if relay is None else Posted(self.listeners, relay, rest=_micros(self.policy.resend))
        missing = MissingSchemas(self._learn(store), self._wake(store))
        office = Office(
            workflow=self.workflow,
            consumers=self.consumers,
            store=store,
            outlet=posted or outlet,
            intake=intake,
            handlers=self.handlers,
            policy=self.policy,
            lease=_micros(self.policy.lease),
            at=self.at,
            announcer=self.announcer,
            missing=missing,
            clock=self.workflow.clock,
        )
        performers = [Performer(office) for _ in range(self.policy.concurrency)]
        keeper = Keeper(
            store,
            performers,
            renew=self.announcer.renew,
            clock=self.workflow.clock,
            lease=_micros(self.policy.lease),
            horizon=_micros(self.policy.horizon),
            patience=None if self.policy.patience is None else _micros(self.policy.patience),
        )
        return Staff(performers, missing, self.announcer, intake, relay, keeper)

    def _without_store(self, broker: Transport) -> Staff:
        intake, recollection = self._intake(broker), Recollection()
        missing = MissingSchemas(self.workflow.learn, _leave_alone)
        performers = [
            StorelessPerformer(
                workflow=self.workflow,
                consumers=self.consumers,
                listeners=self.listeners,
                intake=intake,
                connect=lambda: self._sender(broker),
                handlers=self.handlers,
                policy=self.policy,
                missing=missing,
                at=self.at,
                recollection=recollection,
            )
            for _ in range(self.policy.concurrency)
        ]
        return Staff(performers, missing, self.announcer, intake)

    def _intake(self, broker: Transport) -> Intake:
        return Intake(lambda: self._receiver(broker), ring=self.bell.ring, at=self.at)

    def _receiver(self, broker: Transport) -> Receiver:
        """Connect to consume; the queues of others that have been given up are not declared again."""
        target = BrokerDirectory(broker, self.listeners, lambda: self.announcer.announcement)
        try:
            target.look()
        finally:
            target.close()
        own = {step: self.workflow.steps[step].on for step in self.consumers.values()}
        topology = self.listeners.topology.with_listeners(own)
        return broker.receiver(
            topology, list(self.consumers), prefetch=self.policy.prefetch, prefetch_bytes=self.policy.prefetch_bytes
        )

    def _sender(self, broker: Transport) -> Sender:
        return TrackingSender(broker, self.listeners, lambda: self.announcer.announcement)

    def _learn(self, store: Store) -> Callable[[bytes], bool]:
        """Return what looks for a schema at the broker, too; the store keeps what is found there."""
        if self.broker is None:
            return self.workflow.learn
        kept = StoreDirectory(store, self.workflow.name, self.workflow.clock)
        connect = partial(self.broker.directory, self.workflow.name)
        at_broker = DirectorySource(connect, self.workflow.name, keep=kept.write)
        return lambda schema_id: self.workflow.learn(schema_id, at_broker)

    def _wake(self, store: Store) -> Callable[[Sequence[str], bytes], None]:
        def wake(consumers: Sequence[str], schema_id: bytes) -> None:
            with store.begin() as transaction:
                inbox.wake(transaction, consumers, schema_id.hex(), now=self.workflow.clock())
            self.bell.ring()

        return wake

    def _relay(self, broker: Transport, store: Store) -> Relay:
        return Relay(
            lambda: self._sender(broker),
            store,
            has_given_up=self.listeners.has_given_up,
            keeps=broker.promises.keeps,
            clock=self.workflow.clock,
            rest=_micros(self.policy.resend),
            ring=self.bell.ring,
            at=self.at,
        )


def sources_of(workflow: Workflow, broker: Transport | None, store: Store | None) -> list[SchemaSource]:
    """Return where a worker looks at once for schemas that are not in its contracts folder: in its store, or at the broker if it has none.

    A worker with a store may be within a transaction then, in which nobody should wait for a broker: that is asked by `MissingSchemas`.
    """
    if store is not None:
        kept = StoreDirectory(store, workflow.name, workflow.clock)
        return [DirectorySource(lambda: kept, workflow.name)]
    return [] if broker is None else [DirectorySource(partial(broker.directory, workflow.name), workflow.name)]


def _leave_alone(_consumers: Sequence[str], _schema_id: bytes) -> None:
    """Wake nobody: what rests in memory looks again by itself, soon."""


def topology_of(workflow: Workflow) -> Topology:
    """Return the topology of a whole workflow: of the steps defined here, and of those that have contracts."""
    parties = workflow.parties.items()
    return Topology.of(
        workflow.name,
        {name: each.on for name, each in parties},
        {name: each.ends for name, each in parties},
        {name: each.fails for name, each in parties},
    )


def consumers_of(workflow: Workflow, topology: Topology, steps: Collection[str] | None) -> dict[str, str]:
    """Return `steps` by their queues; None means all that are defined here.

    Raises:
        WorkflowError: there is no such step here, or none at all.
    """
    here = [name for name, step in workflow.steps.items() if step.handler is not None]
    for name in steps or ():
        if name not in here:
            known = ", ".join(here) or "none"
            raise WorkflowError(f"expected a step with a handler ({known}), got {name!r}", path=workflow.name)
    wanted = here if steps is None else steps
    consumers = {queue.name: queue.step for queue in topology.queues if queue.step in wanted}
    if not consumers:
        raise WorkflowError("expected at least one step with a handler to perform, got none", path=workflow.name)
    return consumers


def may_lose(broker: Transport) -> InputError:
    """Return why a broker is not enough by itself."""
    text = (
        f"expected a store beside {broker.address}, which may lose messages: without one nobody would send them again"
    )
    return InputError(text, path="--store")


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
