"""What can be done instead of a change that has no safe order: parts of a way out, each a change to expand and one to contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from stamp.ripple.hazard import Hazard, Kind
from stamp.ripple.sketch import Sketch
from stamp.ripple.tolerant import Tolerance
from stamp.ripple.transition import Transition
from stamp.ripple.wording import listed

__all__ = ["Part", "dispensing", "tolerating"]


class Part(Protocol):
    """A part of a way out."""

    @property
    def expand(self) -> str:
        """What to do first, for a sentence."""

    @property
    def contract(self) -> str:
        """What to do later, when nothing old is left; empty when there is nothing."""

    def expanded(self, sketch: Sketch) -> None:
        """Do the first of it."""

    def contracted(self, sketch: Sketch) -> None:
        """Do the second of it."""


class _Dispensing(NamedTuple):
    """Let a step do without a contribution that not every run has yet."""

    transition: Transition
    step: str
    producer: str

    @property
    def expand(self) -> str:
        return f'let {self.step} do without {self.producer} ("optional" in its step.json), and deploy it'

    @property
    def contract(self) -> str:
        return "demand it when every run that is under way has it"

    def expanded(self, sketch: Sketch) -> None:
        optional = sketch.said(self.step).get("optional", [])
        sketch.say(self.step, optional=sorted({*optional, self.producer}))

    def contracted(self, sketch: Sketch) -> None:
        sketch.say(self.step, optional=sorted(self.transition.new[self.step].optional))


def dispensing(transition: Transition, hazards: Iterable[Hazard]) -> Iterator[Part]:
    """Yield what helps steps that get an event without a contribution that they must read."""
    lacking = ((each.step, each.cause) for each in hazards if each.kind is Kind.LACKING)
    for step, producer in dict.fromkeys(lacking):
        if step in transition.new and producer in transition.new[step].reads:
            yield _Dispensing(transition, step, producer)


class _View(NamedTuple):
    """The view of a step, made to read all that there may be of a producer; `narrow` is what it is to be in the end."""

    step: str
    producer: str
    paths: tuple[str, ...]
    versions: tuple[str, ...]
    gone: tuple[str, ...]
    means: tuple[str, ...]
    view: object
    narrow: object

    @property
    def same(self) -> tuple[object, ...]:
        """What is to be said of it, but for who reads."""
        return self.producer, self.paths, self.versions, self.gone, self.means


class _Tolerating(NamedTuple):
    """Let steps read all that there may be of a producer, in the same way."""

    transition: Transition
    views: Sequence[_View]

    @property
    def expand(self) -> str:
        first = self.views[0]
        before = f" before {first.producer}" if first.producer in self.transition.changed else ""
        return (
            f"let {listed(each.step for each in self.views)} read {listed(first.paths)} of {listed(first.versions)} alike "
            f"({listed(first.means)}), and deploy that{before}"
        )

    @property
    def contract(self) -> str:
        first = self.views[0]
        if not first.gone:
            return ""
        return (
            f'when no data of {listed(first.gone)} are left, say so under "retired" in the step.json of {first.producer}, '
            "then narrow the view"
        )

    def expanded(self, sketch: Sketch) -> None:
        for each in self.views:
            sketch.read(each.step, each.producer, each.view)

    def contracted(self, sketch: Sketch) -> None:
        day = (self.transition.study.today - timedelta(days=1)).isoformat()
        for each in self.views:
            retired = sketch.said(each.producer).get("retired", {})
            sketch.say(each.producer, retired=retired | dict.fromkeys(each.gone, day))
            sketch.read(each.step, each.producer, each.narrow)


def tolerating(transition: Transition, hazards: Iterable[Hazard]) -> Iterator[Part]:
    """Yield what helps views that cannot read data: those of one producer that need the same, together."""
    unreadable: defaultdict[tuple[str, str], list[Hazard]] = defaultdict(list)
    for each in hazards:
        if each.kind is Kind.UNREADABLE and each.step in transition.new:
            unreadable[each.step, each.cause].append(each)
    alike: defaultdict[tuple[object, ...], list[_View]] = defaultdict(list)
    for (step, producer), found in unreadable.items():
        if producer in transition.new[step].reads and producer in transition.new:
            view = _tolerant(transition, step, producer, found)
            if view.means:
                alike[view.same].append(view)
    yield from (_Tolerating(transition, views) for views in alike.values())


def _tolerant(transition: Transition, step: str, producer: str, found: Sequence[Hazard]) -> _View:
    study, workflow = transition.study, transition.workflow
    present = study.now.view(workflow, step, producer)
    records = {each.version.rpartition(".v")[0] for each in found}
    versions = [each for each in study.alive(workflow, producer) if each.written.name in records]
    tolerance, view = Tolerance([study.pairs.source(each.file) for each in versions]), present.schema
    for each in versions:
        view = tolerance.of(view, each.file.schema)
    latest = transition.new[producer].versions
    newest = {each.content for each in latest if transition.new[producer].latest(each.name) is each}
    unread = [each for each in versions if study.pairs.is_broken(present, each.file)]
    is_narrow = not any(each.file in newest for each in unread)
    return _View(
        step=step,
        producer=producer,
        paths=tuple(sorted({each.path for each in found})),
        versions=tuple(sorted({str(each) for each in versions})),
        gone=tuple(sorted({str(each) for each in unread})) if is_narrow else (),
        means=tolerance.means,
        view=view,
        narrow=present.schema,
    )
