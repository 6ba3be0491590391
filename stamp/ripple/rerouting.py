"""How listeners can go from one event to another: parts of a way out that tell old runs from new ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from stamp.ripple.graph import Graph, published
from stamp.ripple.hazard import Hazard, Kind
from stamp.ripple.mending import Part
from stamp.ripple.repeats import Network, Repeat
from stamp.ripple.sketch import Sketch
from stamp.ripple.transition import Transition
from stamp.ripple.wording import listed
from stamp.workflow.contract import StepContract

__all__ = ["ROUTES", "reroutings"]

ROUTES = frozenset({Kind.UNHEARD, Kind.STARVED, Kind.REPEATED, Kind.UNATTENDED, Kind.DOUBLED, Kind.ORPHANED})
"""What goes wrong with the events of a step."""


def reroutings(transition: Transition, hazards: Iterable[Hazard]) -> Iterator[Part]:
    """Yield ways for steps that are to listen to other events, the simpler one first.

    They hear the old event and the new one, for as long as there are old runs. Where both are in one run, that would be twice: then what
    leads to the new one is published with a name of its own. So is an event that one step takes over from another.
    """
    moved = _moved(transition, {each.step for each in hazards if each.kind in ROUTES})
    if moved:
        yield from _of_moved(transition, moved)
    if names := _taken_over(transition):
        yield _Parted(transition, moved, names)


def _of_moved(transition: Transition, moved: tuple[str, ...]) -> Iterator[Part]:
    both = _Both(transition, moved)
    yield both
    sketch = Sketch(transition.study.now, transition.workflow)
    both.expanded(sketch)
    removed = (party for step, party in transition.old.items() if step not in transition.new)
    graph = Graph.of(transition.workflow, (*sketch.contracts().of(transition.workflow).values(), *removed))
    network = Network(graph)
    repeats = (each for step in network.events if step in moved for each in network.repeats_of(step))
    found = [each for each in repeats if each.origin in transition.new]
    if found:
        yield _Parted(transition, moved, _renamed(found, graph))


def _moved(transition: Transition, steps: Collection[str]) -> tuple[str, ...]:
    """Return those steps that are there before and after, and listen to other events then."""
    there = (step for step in sorted(steps) if step in transition.old and step in transition.new)
    return tuple(step for step in there if set(transition.old[step].on) != set(transition.new[step].on))


def _renamed(found: Iterable[Repeat], graph: Graph) -> dict[str, dict[str, str]]:
    """Return, for each step at whose outcome ways part, the events of that outcome with names that are new."""
    pairs = ((repeat.origin, event) for repeat in found for event in repeat.parting)
    return _named(dict.fromkeys(pairs), graph.parties)


def _taken_over(transition: Transition) -> dict[str, dict[str, str]]:
    """Return, for each step that publishes events which others take over, those events with names that are new."""
    events = dict.fromkeys(each.event for each in transition.takeovers.found)
    parties = transition.new.values()
    pairs = [(party.step, event) for event in events for party in parties if event in published(party)]
    return _named(pairs, (*transition.old.values(), *parties))


def _named(events: Iterable[tuple[str, str]], parties: Iterable[StepContract]) -> dict[str, dict[str, str]]:
    """Return events, each with the step that publishes it, with names that nobody knows yet."""
    taken = {event for party in parties for event in (*party.on, *published(party))}
    names: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for step, event in events:
        if event not in names:
            names[event] = next(name for number in count(2) if (name := f"{event}{number}") not in taken)
            taken.add(names[event])
        found.setdefault(step, {})[event] = names[event]
    return found


def _listening(transition: Transition, sketch: Sketch, step: str, on: Iterable[str]) -> None:
    """Let a step hear events, and do without what it did not read before."""
    fresh = transition.new[step].reads.keys() - transition.old[step].reads.keys()
    optional = sorted({*transition.new[step].optional, *fresh})
    sketch.say(step, on=list(dict.fromkeys(on)), optional=optional)


@dataclass(frozen=True)
class _Both:
    """Let steps listen to the old events and to the new ones."""

    transition: Transition
    moved: tuple[str, ...]

    @property
    def expand(self) -> str:
        return f"let {listed(map(self._listening, self.moved))}, and deploy that before all others"

    def _listening(self, step: str) -> str:
        fresh, stale = _fresh(self.transition, step), _stale(self.transition, step)
        if not fresh:
            return f"{step} go on listening to {listed(stale)}"
        return f"{step} listen to {listed(fresh)} as well as to {listed(self.transition.old[step].on)}"

    @property
    def contract(self) -> str:
        stale = {step: _stale(self.transition, step) for step in self.moved}
        return _dropping(stale)

    def expanded(self, sketch: Sketch) -> None:
        for step in self.moved:
            on = (*self.transition.old[step].on, *self.transition.new[step].on)
            _listening(self.transition, sketch, step, on)

    def contracted(self, sketch: Sketch) -> None:
        for step in self.moved:
            party = self.transition.new[step]
            sketch.say(step, on=list(party.on), optional=sorted(party.optional))


def _dropping(events: Mapping[str, Sequence[str]]) -> str:
    told = [f"{step} drop {listed(dropped)}" for step, dropped in events.items() if dropped]
    return f"let {listed(told)} when the queue has none left" if told else ""


def _fresh(transition: Transition, step: str) -> list[str]:
    return [event for event in transition.new[step].on if event not in transition.old[step].on]


def _stale(transition: Transition, step: str) -> list[str]:
    return [event for event in transition.old[step].on if event not in transition.new[step].on]


@dataclass(frozen=True)
class _Parted:
    """Publish events under new names where the new way parts from the old one, so that no run has both.

    `names` gives the new name of each event, by the step that publishes it.
    """

    transition: Transition
    moved: tuple[str, ...]
    names: Mapping[str, Mapping[str, str]]

    @property
    def expand(self) -> str:
        sketch = self._sketch()
        publishing = (
            f"{step} publish {listed(names.values())} instead of {listed(names)}" for step, names in self.names.items()
        )
        listening = (
            f"{step} listen to {listed(on)}"
            for step in self.transition.new
            if (on := sketch.said(step)["on"]) and set(on) != self._was(step)
        )
        return (
            f"in one change let {listed((*publishing, *listening))}, and deploy it in the order that `stamp plan` tells"
        )

    @property
    def contract(self) -> str:
        sketch = self._sketch()
        before = {step: sketch.said(step)["on"] for step in self.transition.new}
        self.contracted(sketch)
        dropped = {step: [event for event in on if event not in sketch.said(step)["on"]] for step, on in before.items()}
        return _dropping(dropped)

    def _sketch(self) -> Sketch:
        sketch = Sketch(self.transition.study.now, self.transition.workflow)
        self.expanded(sketch)
        return sketch

    def _was(self, step: str) -> set[str]:
        return set(self.transition.old[step].on) if step in self.transition.old else set()

    def expanded(self, sketch: Sketch) -> None:
        for step, names in self.names.items():
            sketch.say(step, **_publishing(sketch.said(step), names))
        published = {event for step in self.transition.new for event in _events(sketch.said(step))}
        for step in self.transition.new:
            sketch.say(step, on=list(dict.fromkeys(self._heard(step, sketch.said(step)["on"], published))))
        for step in self.moved:
            _listening(self.transition, sketch, step, (*self.transition.old[step].on, *sketch.said(step)["on"]))

    def _heard(self, step: str, on: Iterable[str], published: Collection[str]) -> Iterator[str]:
        """Yield what a step hears: by its old name what is still under way to it, by the new one what is published now."""
        renamed = {event: name for names in self.names.values() for event, name in names.items()}
        was = self._was(step)
        for event in on:
            if event not in renamed or event in was or event in published:
                yield event
            if event in renamed and not (step in self.moved and event in was):
                yield renamed[event]

    def contracted(self, sketch: Sketch) -> None:
        there = {event for step in self.transition.new for event in _events(sketch.said(step))}
        for step, party in self.transition.new.items():
            heard = sketch.said(step)["on"]
            sketch.say(step, on=[event for event in heard if event in there], optional=sorted(party.optional))


def _events(said: Mapping[str, Any]) -> set[str]:
    return {*said["emits"], said.get("fails", f"{said['step']}.failed")}


def _publishing(said: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what a step declares of its events when some have new names."""
    changed: dict[str, Any] = {
        "emits": {names.get(event, event): record for event, record in said["emits"].items()},
        "ends": [names.get(event, event) for event in said.get("ends", ())],
    }
    fails = said.get("fails", f"{said['step']}.failed")
    return changed | ({"fails": names[fails]} if fails in names else {})
