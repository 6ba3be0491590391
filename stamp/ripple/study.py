"""What rules look at: the present contracts beside those that they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from stamp.ripple.contracts import Contracts, Version
from stamp.ripple.graph import Flow, Graph
from stamp.ripple.growth import Growth
from stamp.ripple.pairs import Pairs
from stamp.ripple.reading import Reading
from stamp.ripple.repeats import Network
from stamp.ripple.report import Rollout
from stamp.schema.jsonfile import JsonFile
from stamp.workflow.contract import StepContract
from stamp.workflow.draft import Changes

__all__ = ["Study"]


@dataclass(frozen=True, eq=False)
class Study:
    """States of the contracts, and what follows from them; each thing is found out once.

    On the day `today` versions that were retired before are gone. With `listing` fields without readers are told that no change has
    touched; versions are held against one another as the `mode` asks for. `growth` and `rollouts` are there once they have been looked for; `pending` is what the code says
    that the contracts do not. `readings` are those of the models that are at hand.
    """

    now: Contracts
    baselines: tuple[Contracts, ...]
    today: date
    pairs: Pairs = field(default_factory=Pairs)
    growth: Mapping[str, Growth] = field(default_factory=dict)
    rollouts: tuple[Rollout, ...] = ()
    pending: tuple[Changes, ...] = ()
    readings: tuple[Reading, ...] = ()
    listing: bool = False
    mode: str | None = None
    graphs: dict[tuple[tuple[Contracts, ...], str], Graph] = field(default_factory=dict)
    networks: dict[Flow, Network] = field(default_factory=dict)

    @cached_property
    def workflows(self) -> tuple[str, ...]:
        """All workflows of all states, sorted."""
        return tuple(sorted({workflow for state in self.states for workflow in state.workflows}))

    @property
    def states(self) -> tuple[Contracts, ...]:
        """The present contracts, then the baselines."""
        return self.now, *self.baselines

    def of(self, baseline: Contracts) -> Study:
        """Return the study of a baseline by itself."""
        return replace(self, now=baseline, baselines=(), growth={}, rollouts=(), pending=(), readings=())

    def graph(self, state: Contracts, workflow: str) -> Graph:
        """Return the graph of a workflow in one state."""
        return self._graph((state,), workflow)

    def mixed(self, workflow: str) -> Graph:
        """Return the graph in which the steps of all states run beside each other, as in a rolling deployment or with queues not empty."""
        return self._graph(self.states, workflow)

    def _graph(self, states: tuple[Contracts, ...], workflow: str) -> Graph:
        key = states, workflow
        if key not in self.graphs:
            self.graphs[key] = Graph.of(workflow, _distinct(states, workflow))
        return self.graphs[key]

    def network(self, state: Contracts, workflow: str) -> Network:
        """Return what knows by which events one run triggers a step more than once in one state."""
        return self.network_of(self.graph(state, workflow))

    def network_of(self, graph: Graph) -> Network:
        """Return the same for any graph."""
        if graph.flow not in self.networks:
            self.networks[graph.flow] = Network(graph)
        return self.networks[graph.flow]

    def alive(self, workflow: str, step: str) -> list[Version]:
        """Return every version of which there may be data: released in any state, and not retired, or written by a baseline all the same."""
        released = self.released(workflow, step)
        return [each for each in released if not self.is_retired(each) or self.writing(workflow, each)]

    def released(self, workflow: str, step: str) -> list[Version]:
        """Return every version that a step has in any state, the present ones first. What the present contracts say of one, holds."""
        found: dict[tuple[str, JsonFile], Version] = {}
        for state in self.states:
            for each in state.versions(workflow, step):
                found.setdefault((each.label, each.file), each)
        return list(found.values())

    def files_of(self, workflow: str, version: Version) -> tuple[JsonFile, ...]:
        """Return the files of all versions of the record that this is one of, in any state."""
        return tuple(
            each.file for each in self.released(workflow, version.step) if each.written.name == version.written.name
        )

    def is_retired(self, version: Version) -> bool:
        """Tell whether a version is said to have no data any more."""
        return version.written.retired is not None and version.written.retired < self.today

    def writing(self, workflow: str, version: Version) -> list[str]:
        """Return the names of the baselines whose steps write a version: the newest one that they have of its record."""
        return [
            baseline.name
            for baseline in self.baselines
            if (party := baseline.steps.get((workflow, version.step))) is not None
            and version.written.name in party.emits.values()
            and party.latest(version.written.name).version == version.written.version
        ]


def _distinct(states: Iterable[Contracts], workflow: str) -> Iterator[StepContract]:
    """Yield the parties of all states, those that are the same to a graph once."""
    seen = set()
    for state in states:
        for party in state.of(workflow).values():
            key = party.step, party.on, tuple(party.emits.items()), party.fails
            if key not in seen:
                seen.add(key)
                yield party
