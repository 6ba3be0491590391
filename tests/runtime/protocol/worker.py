"""A worker without threads: its parts take turns when a test says so."""

from __future__ import annotations

from collections.abc import Callable

from stamp import Workflow
from stamp.errors import DeliveryError, StoreError
from stamp.runtime.bell import Bell
from stamp.runtime.handlers import Handlers
from stamp.runtime.points import pass_by
from stamp.runtime.policy import Policy
from stamp.runtime.staff import Means, consumers_of, sources_of, topology_of
from stamp.runtime.transport import Transport
from stamp.store.store import Store

from .moments import Death, Passing


class SimulatedWorker:
    """What a worker is made of, but for its threads. It is dead after a `Death`; somebody has to start another one."""

    def __init__(
        self,
        workflow: Workflow,
        *,
        store: Store | None,
        broker: Transport | None = None,
        policy: Policy,
        at: Passing = pass_by,
    ) -> None:
        workflow = workflow.with_sources(*sources_of(workflow, broker, store))
        topology = topology_of(workflow)
        self.handlers = Handlers(workflow)
        self.staff = Means(
            workflow=workflow,
            topology=topology,
            consumers=consumers_of(workflow, topology, None),
            broker=broker,
            store=store,
            handlers=self.handlers,
            policy=policy,
            bell=Bell(),
            at=at,
        ).staff()
        [self.performer] = self.staff.performers
        turns = {
            "intake": self.staff.intake,
            "performer": self.performer,
            "relay": self.staff.relay,
            "keeper": self.staff.keeper,
        }
        self.parts: dict[str, Callable[[], bool | None]] = {
            name: part.turn for name, part in turns.items() if part is not None
        }

    def turn(self, *names: str) -> bool:
        """Have those parts take turns that it has, all of them by default, as their loops would; tell whether one of them was busy.

        Raises:
            Death: this worker is dead.
        """
        busy = [self._one(self.parts[name]) for name in names or self.parts if name in self.parts]
        return any(busy)

    def _one(self, turn: Callable[[], bool | None]) -> bool:
        try:
            return bool(turn())
        except (DeliveryError, StoreError):
            return True
        except Death:
            self.end()
            raise

    def end(self) -> None:
        """Go without a word: the broker sees that connections are closed, and the database that nobody is there."""
        for part in (self.staff.intake, self.staff.relay, *self.staff.performers):
            if hasattr(part, "disconnect"):
                part.disconnect()
