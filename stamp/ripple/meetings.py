"""Which views meet which versions, now and while services are deployed one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from stamp.ripple.contracts import Contracts, Version
from stamp.ripple.graph import Graph
from stamp.ripple.study import Study
from stamp.schema.jsonfile import JsonFile
from stamp.workflow.contract import StepContract

__all__ = ["Meeting", "Moment", "meetings"]


class Moment(StrEnum):
    """When a view meets a version."""

    NOW = "now"
    """Both are what the contracts say now."""

    OLD_DATA = "old-data"
    """The present view meets data that were written before, and wait in queues or stores."""

    NEW_DATA = "new-data"
    """A view that still runs as a baseline has it meets data of a version that the baseline does not have."""


class Meeting(NamedTuple):
    """A view of the step `reader` and a version that may reach it. `state` is the one that has the view.

    It is not `certain` when nothing says with which events the version was published.
    """

    workflow: str
    moment: Moment
    reader: StepContract
    state: Contracts
    view: JsonFile
    version: Version
    certain: bool = True

    @property
    def pair(self) -> tuple[str, JsonFile, JsonFile]:
        """What decides whether there is something to say: who reads, through what, what."""
        return self.reader.step, self.view, self.version.file


def meetings(study: Study, workflow: str) -> Iterator[Meeting]:
    """Yield every meeting of a view and a version that is alive, each pair once."""
    seen = set()
    for each in (*_of_present(study, workflow), *_of_past(study, workflow)):
        if each.pair not in seen:
            seen.add(each.pair)
            yield each


def _of_present(study: Study, workflow: str) -> Iterator[Meeting]:
    now, mixed = study.graph(study.now, workflow), study.mixed(workflow)
    contracts = study.now.of(workflow)
    known = {(party.step, name) for party in mixed.parties for name in party.emits.values()}
    for reader in contracts.values():
        for producer in reader.reads:
            view = study.now.view(workflow, reader.step, producer)
            written = {
                (version.name, version.version)
                for name in _records(now, reader, producer)
                for version in (contracts[producer].latest(name),)
            }
            past = _records(mixed, reader, producer)
            for version in study.alive(workflow, producer):
                name, number = version.written.name, version.written.version
                here = version.file is study.now.files.get((workflow, producer), {}).get(f"{version}.avsc")
                if here and (name, number) in written:
                    yield Meeting(workflow, Moment.NOW, reader, study.now, view, version)
                elif name in past:
                    yield Meeting(workflow, Moment.OLD_DATA, reader, study.now, view, version)
                elif (producer, name) not in known:
                    yield Meeting(workflow, Moment.OLD_DATA, reader, study.now, view, version, certain=False)


def _of_past(study: Study, workflow: str) -> Iterator[Meeting]:
    mixed = study.mixed(workflow)
    for state in study.baselines:
        for reader in state.of(workflow).values():
            for producer in reader.reads:
                view = state.view(workflow, reader.step, producer)
                arriving = _records(mixed, reader, producer)
                for version in study.now.versions(workflow, producer):
                    if version.written.name in arriving and not state.has(workflow, version):
                        yield Meeting(workflow, Moment.NEW_DATA, reader, state, view, version)


def _records(graph: Graph, reader: StepContract, producer: str) -> set[str]:
    """Return the records that the latest contribution of `producer` may be when an event reaches `reader`."""
    return {name for name in graph.held(reader, producer) if name is not None}
