"""The way from a baseline to the present contracts of a workflow: its stages, and what goes wrong in them.

A stage says which versions of each step run. A stage is safe when nothing goes wrong in it that does not go wrong in the baseline already.
Data of every version that is not retired may be there at any time; data of new versions once their writer runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TypeAlias

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts, Version, is_same
from stamp.ripple.departure import Departures
from stamp.ripple.graph import ABSENT, Graph, published
from stamp.ripple.hazard import Hazard, Kind
from stamp.ripple.repeats import MAX_REPEATS, Network, Repeat
from stamp.ripple.study import Study
from stamp.ripple.takeover import Takeovers
from stamp.ripple.wording import listed
from stamp.schema.jsonfile import JsonFile
from stamp.workflow.contract import StepContract

__all__ = ["Transition"]


class Variant(StrEnum):
    """How a step may run in a stage."""

    NONE = "none"
    OLD = "old"
    NEW = "new"


Stage: TypeAlias = Mapping[str, frozenset[Variant]]
"""The variants of each changed step that run; a step that has not changed runs as it always did."""


class Transition:
    """The way from a baseline to the present contracts of one workflow."""

    def __init__(self, study: Study, baseline: Contracts, workflow: str) -> None:
        self.study = study
        self.baseline = baseline
        self.workflow = workflow
        self.old = baseline.of(workflow)
        self.new = study.now.of(workflow)
        self.takeovers = Takeovers(self.old, self.new)
        self.departures = Departures(self.old, self.new)
        self.changed = tuple(step for step in sorted({*self.old, *self.new}) if not self._is_same(step))
        self._contracts = {Variant.OLD: self.old, Variant.NEW: self.new}
        self._before: dict[str, frozenset[str]] = {}
        self._broken: dict[tuple[JsonFile, str, bool], list[Version]] = {}
        self._graphs: dict[tuple[frozenset[Variant], ...], Graph] = {}
        self._repeats: dict[tuple[frozenset[Variant], ...], set[Hazard]] = {}
        self._hazards: dict[tuple[frozenset[str], frozenset[str]], frozenset[Hazard]] = {}

    @property
    def stages(self) -> int:
        """How many stages have been looked at so far."""
        return len(self._hazards)

    @property
    def size(self) -> int:
        """How many steps are looked at in a stage."""
        return len(self.old.keys() | self.new.keys())

    def versions(self, step: str) -> list[StepContract]:
        """Return the contracts of a step, as it was and as it is."""
        return [contracts[step] for contracts in self._contracts.values() if step in contracts]

    @cached_property
    def rerouted(self) -> frozenset[str]:
        """The changed steps that do not listen to, or publish, what they did."""
        return frozenset(
            step
            for step in self.changed
            if step not in self.old or step not in self.new or _events(self.old[step]) != _events(self.new[step])
        )

    @cached_property
    def shifting(self) -> tuple[str, ...]:
        """The changed steps that make something else of the event graph than they did: these, and who writes another record."""
        return tuple(
            step for step in self.changed if step in self.rerouted or self.old[step].emits != self.new[step].emits
        )

    @cached_property
    def written(self) -> frozenset[JsonFile | None]:
        """The files of what the present contracts write."""
        return frozenset(party.latest(name).content for party in self.new.values() for name in party.emits.values())

    @cached_property
    def known(self) -> frozenset[Hazard]:
        """What goes wrong in the baseline."""
        return self.hazards_after(())

    def in_the_way(self, done: Collection[str], rolling: Collection[str]) -> frozenset[Hazard]:
        """Return what goes wrong when some steps are deployed at the same time after others, and did not before."""
        found = self._hazards_in(done, rolling) | self.hazards_after({*done, *rolling})
        return found - self.known

    def hazards_after(self, done: Collection[str]) -> frozenset[Hazard]:
        """Return what goes wrong when some steps run as they are now, the others as in the baseline."""
        return self._hazards_in(done, ())

    def _hazards_in(self, done: Collection[str], rolling: Collection[str]) -> frozenset[Hazard]:
        key = frozenset(done), frozenset(rolling)
        if key not in self._hazards:
            self._hazards[key] = self._look(self._stage(*key))
        return self._hazards[key]

    def before(self, step: str) -> frozenset[str]:
        """Return the changed steps whose old views cannot read what this step will write: they go first."""
        if step not in self._before:
            self._before[step] = frozenset(self._go_first(step))
        return self._before[step]

    def _go_first(self, step: str) -> Iterator[str]:
        graph = self.study.mixed(self.workflow)
        for reader in self.changed:
            if reader != step and reader in self.old and step in self.old[reader].reads:
                arriving = graph.held(self.old[reader], step)
                broken = self._unreadable(Variant.OLD, reader, step, is_new_data=True)
                if any(version.written.name in arriving for version in broken):
                    yield reader

    def unreadable(self, reader: str) -> set[str]:
        """Return the changed steps whose new data a step cannot read, be it as it was or as it is."""
        return {
            producer
            for variant, contracts in self._contracts.items()
            for producer in (contracts[reader].reads if reader in contracts else ())
            if producer in self.changed and self._unreadable(variant, reader, producer, is_new_data=True)
        }

    # -- stages

    def _is_same(self, step: str) -> bool:
        """Tell whether others can notice no difference between what a step was and is."""
        if step not in self.old or step not in self.new:
            return False
        old, new = self.old[step], self.new[step]
        return _flow(old) == _flow(new) and all(
            map(is_same, self._schemas(old, Variant.OLD), self._schemas(new, Variant.NEW))
        )

    def _schemas(self, party: StepContract, variant: Variant) -> Iterator[JsonFile]:
        state = self._state(variant)
        yield from (state.view(self.workflow, party.step, producer) for producer in sorted(party.reads))
        yield from (party.latest(name).content for name in sorted(set(party.emits.values())))

    def _stage(self, done: Collection[str], rolling: Collection[str]) -> Stage:
        def variants(step: str) -> frozenset[Variant]:
            before = Variant.OLD if step in self.old else Variant.NONE
            after = Variant.NEW if step in self.new else Variant.NONE
            return frozenset({before, after} if step in rolling else {after} if step in done else {before})

        return {step: variants(step) for step in self.changed}

    def _parties(self, stage: Stage) -> Iterator[tuple[Variant, StepContract]]:
        for step, party in self.new.items():
            if step not in stage or Variant.NEW in stage[step]:
                yield Variant.NEW, party
        for step, party in self.old.items():
            if step in stage and Variant.OLD in stage[step]:
                yield Variant.OLD, party

    # -- hazards

    def _look(self, stage: Stage) -> frozenset[Hazard]:
        """Return all that goes wrong in a stage."""
        running = list(self._parties(stage))
        graph = self._graph(stage)
        found: set[Hazard] = set()
        for variant, party in running:
            if graph.is_reached(party):
                found.update(self._of_reads(stage, variant, party, graph))
                found.update(self._of_events(stage, party))
                found.update(self._unattended(party, [each for _, each in running]))
            elif party.step in self._fed:
                found.add(Hazard(Kind.STARVED, party.step, self._is_new(variant, party.step)))
        found.update(self._taken_over(stage, graph))
        return frozenset(found | (self._repeated(stage) if self.old else set()))

    def _unattended(self, publisher: StepContract, running: Collection[StepContract]) -> Iterator[Hazard]:
        for event in self.takeovers.unattended(publisher, running):
            yield Hazard(Kind.UNATTENDED, publisher.step, is_new=False, cause=event)

    def _taken_over(self, stage: Stage, graph: Graph) -> Iterator[Hazard]:
        for each in self.takeovers.found:
            is_old, is_new = Variant.OLD in stage[each.of], Variant.NEW in stage[each.to]
            if each.event in graph.carried and is_old is is_new:
                kind = Kind.DOUBLED if is_old else Kind.ORPHANED
                yield Hazard(kind, each.to, is_new=True, cause=each.of)

    def _repeated(self, stage: Stage) -> set[Hazard]:
        """Return the steps that one run triggers twice: in a workflow that is new nothing was otherwise before."""
        key = tuple(stage[step] for step in self.shifting)
        if key not in self._repeats:
            self._repeats[key] = {
                Hazard(Kind.REPEATED, each.step, is_new=False, cause=listed(sorted({each.once[-1], each.event})))
                for each in self._brought(self.study.network_of(self._graph(stage)))
            }
        return self._repeats[key]

    def _brought(self, network: Network) -> Iterator[Repeat]:
        """Yield the repeats by events that bring none in the baseline, as many of each step as are told."""
        before = self.study.network(self.baseline, self.workflow).events
        for step in network.events:
            yield from islice(network.repeats_of(step, known=before.get(step, ())), MAX_REPEATS)

    def _graph(self, stage: Stage) -> Graph:
        key = tuple(stage[step] for step in self.shifting)
        if key not in self._graphs:
            self._graphs[key] = Graph.of(self.workflow, (party for _, party in self._parties(stage)))
        return self._graphs[key]

    def _is_new(self, variant: Variant, step: str) -> bool:
        return variant is Variant.NEW and step in self.changed

    @cached_property
    def _fed(self) -> frozenset[str]:
        """The steps that get events in the baseline, and are to stay. A new one may be there before its events are."""
        graph = self.study.graph(self.baseline, self.workflow)
        return frozenset(step for step, party in self.old.items() if step in self.new and graph.is_reached(party))

    def _of_reads(self, stage: Stage, variant: Variant, party: StepContract, graph: Graph) -> Iterator[Hazard]:
        is_new = self._is_new(variant, party.step)
        for producer in party.reads:
            held = graph.held(party, producer)
            if ABSENT in held and producer not in party.optional:
                yield Hazard(Kind.LACKING, party.step, is_new, producer)
            view = self._state(variant).view(self.workflow, party.step, producer)
            waiting = self.study.graph(self.baseline, self.workflow).held(party, producer)
            for is_new_data in (False, True):
                if is_new_data and Variant.NEW not in stage.get(producer, ()):
                    continue
                for version in self._unreadable(variant, party.step, producer, is_new_data=is_new_data):
                    if version.written.name in (held if is_new_data else held | waiting):
                        yield Hazard(
                            Kind.UNREADABLE,
                            party.step,
                            is_new,
                            producer,
                            view,
                            version.file,
                            str(version),
                            self._path(view, version),
                            is_new_data,
                        )

    def _of_events(self, stage: Stage, publisher: StepContract) -> Iterator[Hazard]:
        for event in published(publisher):
            for step in self._expected(publisher.step, event):
                # The queue of a step that is yet to come is there: who publishes declares it.
                for variant in stage[step] - {Variant.NONE}:
                    if step not in self._hearing[variant][event]:
                        yield Hazard(Kind.UNHEARD, step, variant is Variant.NEW, event)

    def _expected(self, publisher: str, event: str) -> Collection[str]:
        """Return the changed steps that must hear an event of a publisher whichever variants run: no one means to let it go by."""
        was = publisher in self.old and event in published(self.old[publisher])
        will_be = publisher in self.new and event in published(self.new[publisher])
        hears_old, hears_new = self._hearing[Variant.OLD][event], self._hearing[Variant.NEW][event]
        if was and will_be:
            return hears_old & hears_new
        return hears_new if will_be else hears_old & self.new.keys()

    @cached_property
    def _hearing(self) -> Mapping[Variant, Mapping[str, set[str]]]:
        """The changed steps that hear each event, as they were and as they are."""
        found: dict[Variant, defaultdict[str, set[str]]] = {}
        for variant, contracts in self._contracts.items():
            found[variant] = defaultdict(set)
            for step in contracts.keys() & set(self.changed):
                for event in contracts[step].on:
                    found[variant][event].add(step)
        return found

    def _unreadable(self, variant: Variant, reader: str, producer: str, *, is_new_data: bool) -> list[Version]:
        """Return the versions of `producer`, known to the baseline or new, that a variant of `reader` cannot read."""
        view = self._state(variant).view(self.workflow, reader, producer)
        key = view, producer, is_new_data
        if key not in self._broken:
            versions = self._versions[producer][is_new_data] if producer in self._versions else []
            self._broken[key] = [each for each in versions if self.study.pairs.is_broken(view, each.file)]
        return self._broken[key]

    def _path(self, view: JsonFile, version: Version) -> str:
        """Return the first field because of which a view cannot read a version."""
        found = self.study.pairs.findings(view, version.file)
        inner = next(each.path for each in found if each.severity is Severity.ERROR)
        return ".".join(filter(None, (version.step, inner)))

    @cached_property
    def _versions(self) -> Mapping[str, Mapping[bool, list[Version]]]:
        """The versions of each step of which there may be data: those that the baseline knows, and those that are new."""
        found: dict[str, dict[bool, list[Version]]] = {}
        for step in {*self.old, *self.new}:
            known = {
                each.file: self.baseline.has(self.workflow, each) for each in self.study.alive(self.workflow, step)
            }
            fresh = {
                each.file for each in self.study.now.versions(self.workflow, step) if not known.get(each.file, True)
            }
            alive = self.study.alive(self.workflow, step)
            found[step] = {
                False: [each for each in alive if known[each.file]],
                True: [each for each in alive if each.file in fresh],
            }
        return found

    def _state(self, variant: Variant) -> Contracts:
        return self.baseline if variant is Variant.OLD else self.study.now


def _flow(party: StepContract) -> tuple[object, ...]:
    """Return what a contract says but for its schemas."""
    return dict(party.emits), _events(party), set(party.ends), party.optional, party.reads.keys()


def _events(party: StepContract) -> tuple[object, ...]:
    return set(party.on), set(published(party))
