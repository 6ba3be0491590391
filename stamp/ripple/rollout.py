"""In which order the services of a change can be deployed, while the old and the new version of each run side by side.

A stage says which versions of each step run. A stage is safe when nothing goes wrong in it that does not go wrong in the baseline already;
a phase is safe when the stage in which its steps run in both versions is, and the one after it. Data of every version that is
not retired may be there at any time; data of new versions once their writer runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import Final, TypeAlias, TypedDict

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts, Version, is_same
from stamp.ripple.graph import ABSENT, NOTHING, Graph, Held, published
from stamp.ripple.hazard import Hazard, Kind, explain, way_out
from stamp.ripple.report import Phase, Rollout
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.schema.jsonfile import JsonFile
from stamp.workflow.contract import StepContract

__all__ = ["Transition", "plan"]

MAX_STAGES: Final = 300
"""How many stages are tried before an order is given up."""

MAX_TOLD: Final = 5
"""How many reasons are told of one phase or of none."""


class Variant(Enum):
    """How a step may run in a stage."""

    NONE = "none"
    OLD = "old"
    NEW = "new"


Stage: TypeAlias = Mapping[str, frozenset[Variant]]
"""The variants of each changed step that run; a step that has not changed runs as it always did."""


def plan(study: Study, baseline: Contracts, workflow: str) -> Rollout | None:
    """Return how to get from a baseline to the present contracts of a workflow; None when there is nothing to deploy."""
    transition = Transition(study, baseline, workflow)
    if not transition.changed:
        return None
    here = _Here(workflow=workflow, baseline=baseline.name)
    if unsolvable := transition.hazards_after(transition.changed) - transition.known:
        broken = any(each.kind is not Kind.UNREADABLE or each.written in transition.written for each in unsolvable)
        return Rollout(**here, **_no_order(unsolvable, is_end_broken=broken))
    phases = _Search(transition).phases(frozenset())
    if phases is None:
        hazards = {each for step in transition.changed for each in transition.in_the_way(frozenset(), [step])}
        return Rollout(**here, **_no_order(hazards))
    return Rollout(**here, phases=tuple(_told(transition, phases)))


class _Here(TypedDict):
    workflow: str
    baseline: str


class _Told(TypedDict):
    obstacles: tuple[str, ...]
    ways_out: tuple[str, ...]
    is_end_broken: bool


def _no_order(hazards: Iterable[Hazard], *, is_end_broken: bool = False) -> _Told:
    found = sorted(hazards, key=_rank)
    kinds = {each.kind for each in found}
    consequences = {Kind.STARVED} if Kind.UNHEARD in kinds else set()
    mended = {Kind.UNREADABLE} if is_end_broken else kinds - consequences
    mendable = {each.subject: each for each in reversed(found) if each.kind in mended}
    obstacles, ways_out = (
        dict.fromkeys(map(explain, found)),
        dict.fromkeys(map(way_out, _merged(reversed(mendable.values())))),
    )
    return {
        "obstacles": tuple(obstacles)[:MAX_TOLD],
        "ways_out": tuple(ways_out)[:MAX_TOLD],
        "is_end_broken": is_end_broken,
    }


def _merged(hazards: Iterable[Hazard]) -> Iterator[Hazard]:
    """Yield hazards; those of several steps that cannot read the same thing as one."""
    found: dict[str, tuple[Hazard, dict[str, None]]] = {}
    for each in hazards:
        said = way_out(each._replace(step="") if each.kind is Kind.UNREADABLE else each)
        found.setdefault(said, (each, {}))[1][each.step] = None
    for each, steps in found.values():
        yield each._replace(step=listed(steps))


def _rank(hazard: Hazard) -> tuple[object, ...]:
    return list(Kind).index(hazard.kind), hazard.step, hazard.cause, hazard.is_new, hazard.version


def _told(transition: Transition, phases: Iterable[tuple[str, ...]]) -> Iterator[Phase]:
    done: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    for number, steps in enumerate(phases, start=1):
        reasons: dict[str, None] = {}
        if number > 1:
            hazards = {each for step in steps for each in transition.in_the_way(before, [step])}
            found = sorted(hazards or transition.in_the_way(before, [*(done - before), *steps]), key=_rank)
            reasons = dict.fromkeys(map(explain, found))
        removed = tuple(step for step in steps if step not in transition.new)
        yield Phase(
            number=number,
            workflow=transition.workflow,
            steps=steps,
            removed=removed,
            reasons=tuple(reasons)[:MAX_TOLD],
        )
        before, done = done, done | set(steps)


class _Search:
    """A search for phases, depth first: as many steps at once as is safe, and single ones where that leads nowhere."""

    def __init__(self, transition: Transition) -> None:
        self._transition = transition
        self._dead: set[frozenset[str]] = set()

    def phases(self, done: frozenset[str]) -> list[tuple[str, ...]] | None:
        left = [step for step in self._transition.changed if step not in done]
        if not left:
            return []
        if done in self._dead or len(self._dead) > MAX_STAGES:
            return None
        for steps in self._options(done, left):
            following = self.phases(done | set(steps))
            if following is not None:
                return [steps, *following]
        self._dead.add(done)
        return None

    def _options(self, done: frozenset[str], left: Collection[str]) -> Iterator[tuple[str, ...]]:
        ready = [step for step in left if self._transition.before(step) <= done]
        if ready and self._is_safe(done, ready):
            yield tuple(ready)
            alone = ready
        else:
            alone = [step for step in ready if self._is_safe(done, [step])]
            together: list[str] = []
            for step in alone:
                if not together or self._is_safe(done, [*together, step]):
                    together.append(step)
            if together:
                yield tuple(together)
        if len(alone) > 1:
            yield from ((step,) for step in alone)

    def _is_safe(self, done: frozenset[str], steps: Collection[str]) -> bool:
        """Tell whether steps can be deployed at the same time, in any order.

        Other versions of other steps only add to what can go wrong, but for one thing: a step may starve until they are there.
        """
        orders = [steps]
        if len(steps) > 1 and not self._transition.rerouted.isdisjoint(steps):
            orders += [[step] for step in steps]
        return not any(self._transition.in_the_way(done, each) for each in orders)


class Transition:
    """The way from a baseline to the present contracts of one workflow."""

    def __init__(self, study: Study, baseline: Contracts, workflow: str) -> None:
        self.study = study
        self.baseline = baseline
        self.workflow = workflow
        self.old = baseline.of(workflow)
        self.new = study.now.of(workflow)
        self.changed = tuple(step for step in sorted({*self.old, *self.new}) if not self._is_same(step))
        self._broken: dict[tuple[JsonFile, str, bool], list[Version]] = {}

    @cached_property
    def rerouted(self) -> frozenset[str]:
        """The changed steps that do not listen to, or publish, what they did."""
        return frozenset(
            step
            for step in self.changed
            if step not in self.old or step not in self.new or _events(self.old[step]) != _events(self.new[step])
        )

    @cached_property
    def written(self) -> frozenset[JsonFile | None]:
        """The files of what the present contracts write."""
        return frozenset(party.latest(name).content for party in self.new.values() for name in party.emits.values())

    @cached_property
    def known(self) -> frozenset[Hazard]:
        """What goes wrong in the baseline."""
        return self.hazards(self._stage((), ()))

    def in_the_way(self, done: Collection[str], rolling: Collection[str]) -> frozenset[Hazard]:
        """Return what goes wrong when some steps are deployed at the same time after others, and did not before."""
        found = self.hazards(self._stage(done, rolling)) | self.hazards_after({*done, *rolling})
        return found - self.known

    def hazards_after(self, done: Collection[str]) -> frozenset[Hazard]:
        """Return what goes wrong when some steps run as they are now, the others as in the baseline."""
        return self.hazards(self._stage(done, ()))

    def before(self, step: str) -> frozenset[str]:
        """Return the changed steps whose old views cannot read what this step will write: they go first."""
        graph = self.study.mixed(self.workflow)
        return frozenset(
            reader
            for reader in self.changed
            if reader in self.old and reader != step and step in self.changed
            if step in self.old[reader].reads
            if any(
                version.written.name in (graph.arriving(self.old[reader]) or {}).get(step, NOTHING)
                for version in self._unreadable(Variant.OLD, reader, step, is_new_data=True)
            )
        )

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

    def hazards(self, stage: Stage) -> frozenset[Hazard]:
        """Return all that goes wrong in a stage."""
        running = list(self._parties(stage))
        graph = Graph.of(self.workflow, (party for _, party in running))
        found: set[Hazard] = set()
        for variant, party in running:
            arriving = graph.arriving(party)
            if arriving is not None:
                found.update(self._of_reads(stage, variant, party, arriving))
                found.update(self._of_events(stage, party))
            elif party.step in self._fed:
                found.add(Hazard(Kind.STARVED, party.step, self._is_new(variant, party.step)))
        return frozenset(found)

    def _is_new(self, variant: Variant, step: str) -> bool:
        return variant is Variant.NEW and step in self.changed

    @cached_property
    def _fed(self) -> frozenset[str]:
        """The steps that get events in the baseline, and are to stay. A new one may be there before its events are."""
        graph = self.study.graph(self.baseline, self.workflow)
        return frozenset(
            step for step, party in self.old.items() if step in self.new and graph.arriving(party) is not None
        )

    def _of_reads(self, stage: Stage, variant: Variant, party: StepContract, arriving: Held) -> Iterator[Hazard]:
        is_new = self._is_new(variant, party.step)
        for producer in party.reads:
            held = arriving.get(producer, NOTHING)
            if ABSENT in held and producer not in party.optional:
                yield Hazard(Kind.LACKING, party.step, is_new, producer)
            view = self._state(variant).view(self.workflow, party.step, producer)
            waiting = (self.study.graph(self.baseline, self.workflow).arriving(party) or {}).get(producer, NOTHING)
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
                for variant in stage[step] - {
                    Variant.NONE
                }:  # the queue of a step that is yet to come is there: who publishes declares it
                    if event not in self._heard(step, variant):
                        yield Hazard(Kind.UNHEARD, step, variant is Variant.NEW, event)

    def _expected(self, publisher: str, event: str) -> set[str]:
        """Return the changed steps that must hear an event of a publisher whichever variants run: no one means to let it go by."""
        was = publisher in self.old and event in published(self.old[publisher])
        will_be = publisher in self.new and event in published(self.new[publisher])
        hears_old = {step for step in self.changed if event in self._heard(step, Variant.OLD)}
        hears_new = {step for step in self.changed if event in self._heard(step, Variant.NEW)}
        if was and will_be:
            return hears_old & hears_new
        return hears_new if will_be else {step for step in hears_old if step in self.new}

    def _heard(self, step: str, variant: Variant) -> tuple[str, ...]:
        contracts = {Variant.OLD: self.old, Variant.NEW: self.new, Variant.NONE: {}}[variant]
        return contracts[step].on if step in contracts else ()

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
    return dict(party.emits), _events(party), party.optional, party.reads.keys()


def _events(party: StepContract) -> tuple[object, ...]:
    return set(party.on), set(published(party))
