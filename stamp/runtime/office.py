"""What the performers of a worker share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stamp.runtime.announcer import Announcer
from stamp.runtime.handlers import Handlers
from stamp.runtime.intake import Intake
from stamp.runtime.missing_schemas import MissingSchemas
from stamp.runtime.outlet import Outlet
from stamp.runtime.points import Passing
from stamp.runtime.policy import Policy
from stamp.store.store import Store
from stamp.store.work import Work
from stamp.workflow.step import Step
from stamp.workflow.workflow import Workflow

__all__ = ["Office"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the performers of a worker share. `consumers` are the steps by their queues; `lease` is in microseconds."""

    workflow: Workflow
    consumers: Mapping[str, str]
    store: Store
    outlet: Outlet
    intake: Intake | None
    handlers: Handlers
    policy: Policy
    lease: int
    at: Passing
    announcer: Announcer
    missing: MissingSchemas
    clock: Callable[[], int]

    def step_of(self, work: Work) -> Step:
        """Return the step that a work is for."""
        return self.workflow.steps[self.consumers[work.consumer]]
