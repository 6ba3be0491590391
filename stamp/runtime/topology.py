"""Where events go: from the steps of a workflow to an exchange, queues and bindings. Data only; nothing is declared here.

An exchange per workflow, a queue per step. So each step gets its own copy of every event that it listens to, and a queue holds
what one step has still to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
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
    """The topic exchange of a workflow and the queues that are bound to it, in the order of the steps.

    `ends` are pairs of a step and an event: that event of that step ends a run, by its declaration. `failures` are those of failure.
    """

    exchange: str
    queues: tuple[StepQueue, ...]
    ends: frozenset[tuple[str, str]] = frozenset()
    failures: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(
        cls,
        workflow: str,
        steps: Mapping[str, Iterable[str]],
        ends: Mapping[str, Iterable[str]] = MappingProxyType({}),
        fails: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Lay out `workflow`, given for each step the events that it listens to, those with which it declares a run to end, and its event of failure.

        A step that listens to nothing starts the workflow; it has no queue.
        """
        heard = {step: tuple(dict.fromkeys(events)) for step, events in steps.items()}
        queues = tuple(StepQueue(f"{workflow}.{step}", step, on) for step, on in heard.items() if on)
        declared = frozenset((step, event) for step, events in ends.items() for event in events)
        return cls(workflow, queues, declared, frozenset(fails.items()))

    def with_listeners(self, announced: Mapping[str, tuple[str, ...]]) -> Self:
        """Return it with what steps themselves have announced: the queue of each gets these events, and a step without any has no queue."""
        known = {queue.step: queue.events for queue in self.queues}
        steps = {step: events for step, events in (known | dict(announced)).items() if events}
        queues = tuple(StepQueue(f"{self.exchange}.{step}", step, events) for step, events in steps.items())
        return replace(self, queues=queues)

    def listeners(self, event: str) -> tuple[StepQueue, ...]:
        """Return the queues that get a copy of `event`."""
        return tuple(queue for queue in self.queues if event in queue.events)

    def is_end(self, event: str, step: str) -> bool:
        """Tell whether `event`, published by `step`, ends a run: by its declaration, whoever listens, or because nobody listens."""
        return (step, event) in self.ends or not self.listeners(event)

    def is_loose_end(self, event: str, step: str) -> bool:
        """Tell whether a run ends with `event` although nobody says so: in a workflow that declares its ends, nobody listens to it."""
        is_meant = not self.ends or (step, event) in self.ends or (step, event) in self.failures
        return not is_meant and not self.listeners(event)
