"""The events that have been published in a simulation, by their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from stamp.envelope.envelope import Envelope
from stamp.errors import WorkflowError
from stamp.runtime.topology import Topology
from stamp.store.message import Message
from stamp.workflow.workflow import Workflow

__all__ = ["Published"]


class Published:
    """Keeps each event once, in the order of their publication."""

    def __init__(self, workflow: Workflow, topology: Topology) -> None:
        self._workflow, self._topology = workflow, topology
        self._runs: defaultdict[str, dict[bytes, Message]] = defaultdict(dict)

    def add(self, message: Message) -> None:
        """Keep an event."""
        self._runs[message.workflow_id].setdefault(message.event_id, message)

    def of(self, workflow_id: str) -> Sequence[Envelope]:
        """Return the events of a run.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        if workflow_id not in self._runs:
            known = ", ".join(map(repr, self._runs)) or "none"
            text = f"expected a run that was started ({known}), got {workflow_id!r}"
            raise WorkflowError(text, path=self._workflow.name)
        return [self._envelope(each) for each in self._runs[workflow_id].values()]

    def finals(self, workflow_id: str) -> list[Envelope]:
        """Return the events of a run that end it.

        Raises:
            WorkflowError: nothing of that run was published.
        """
        return [each for each in self.of(workflow_id) if self._is_end(each)]

    def is_declared_end(self, envelope: Envelope) -> bool:
        """Tell whether a step declares that the event of an envelope ends the run."""
        latest = envelope.contributions[-1]
        return (latest.step, latest.event) in self._topology.ends

    def _is_end(self, envelope: Envelope) -> bool:
        latest = envelope.contributions[-1]
        return self._topology.is_end(latest.event, latest.step)

    def _envelope(self, message: Message) -> Envelope:
        return Envelope.from_bytes(message.body, catalog=self._workflow.catalog, limits=self._workflow.limits)
