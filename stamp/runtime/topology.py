"""Where events go: from the steps of a workflow to an exchange, queues and bindings. Data only; nothing is declared here.

An exchange per workflow, a queue per step. So each step gets its own copy of every event that it listens to, and a queue holds
what one step has still to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

__all__ = ["StepQueue", "Topology"]


@dataclass(frozen=True, slots=True)
class StepQueue:
    """The queue of one step, and the events that are put into it: each one is a binding."""

    name: str
    step: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """The topic exchange of a workflow and the queues that are bound to it, in the order of the steps."""

    exchange: str
    queues: tuple[StepQueue, ...]

    @classmethod
    def of(cls, workflow: str, steps: Mapping[str, Iterable[str]]) -> Self:
        """Lay out `workflow`, given for each step the events that it listens to.

        A step that listens to nothing starts the workflow; it has no queue.
        """
        heard = {step: tuple(dict.fromkeys(events)) for step, events in steps.items()}
        return cls(workflow, tuple(StepQueue(f"{workflow}.{step}", step, on) for step, on in heard.items() if on))

    def listeners(self, event: str) -> tuple[StepQueue, ...]:
        """Return the queues that get a copy of `event`."""
        return tuple(queue for queue in self.queues if event in queue.events)

    def unheard(self, events: Iterable[str]) -> tuple[str, ...]:
        """Return those of `events` that no step listens to, each once: where the workflow ends."""
        return tuple(event for event in dict.fromkeys(events) if not self.listeners(event))
