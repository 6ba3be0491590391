"""How the steps of a workflow hang together: views that cannot read what they are for, and what nobody provides so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stamp.errors import UnresolvedError, WorkflowError
from stamp.schema.resolve import Readability
from stamp.schema.types import load
from stamp.workflow.contract import StepContract
from stamp.workflow.step import Read, Step

__all__ = ["Party", "clash", "clashes", "contradictions", "obstacle", "parties", "reachable", "starting", "unresolved"]


@dataclass(frozen=True, slots=True)
class Party:
    """A step as the others see it, be it code in this process or a contract.

    `emits` are the events of success, `ends` those after which nothing is expected, `writes` the newest schemas of what it writes.
    """

    on: tuple[str, ...]
    emits: tuple[str, ...]
    fails: str
    ends: tuple[str, ...]
    writes: tuple[Mapping[str, Any], ...]

    @property
    def publishes(self) -> tuple[str, ...]:
        """Every event that it may publish."""
        return (*self.emits, self.fails)


def parties(steps: Mapping[str, Step], contracts: Mapping[str, StepContract]) -> dict[str, Party]:
    """Return all steps of a workflow: those of this process, and the contracts of the others."""
    others = {name: _of_contract(contract) for name, contract in contracts.items() if name not in steps}
    return {name: _of_step(step) for name, step in steps.items()} | others


def _of_step(step: Step) -> Party:
    writes = tuple(emission.binding.schema for emission in step.emissions.values())
    return Party(step.on, step.emits, step.fails, step.ends, writes)


def _of_contract(contract: StepContract) -> Party:
    writes = tuple(contract.latest(name).schema for name in dict.fromkeys(contract.emits.values()))
    return Party(contract.on, tuple(contract.emits), contract.fails, contract.ends, writes)


def contradictions(steps: Mapping[str, Step], known: Mapping[str, Party]) -> Iterator[WorkflowError]:
    """Yield what in `steps` cannot be beside the parties that are known.

    That are views that read nothing of what their step writes, and events of success that are another step's event of failure.
    """
    for name, event, other in clashes(steps, known):
        yield WorkflowError(clash(event, other), path=name, **steps[name].place)
    for step in steps.values():
        for read in step.reads:
            if read.step in known and (text := _unreadable(read, known[read.step])):
                yield WorkflowError(text, path=step.name, **step.place)


def clashes(steps: Mapping[str, Step | Party], known: Mapping[str, Step | Party]) -> Iterator[tuple[str, str, str]]:
    """Yield steps with those of their events of success that are events of failure of another one, each with that step."""
    failing: defaultdict[str, list[str]] = defaultdict(list)
    for name, party in known.items():
        if party.on:
            failing[party.fails].append(name)
    for name, party in steps.items():
        for event in party.emits:
            if event in failing:
                yield from ((name, event, other) for other in failing[event] if other != name)


def clash(event: str, other: str) -> str:
    """Say what is wrong with an event of success that another step fails with."""
    return (
        f"expected events of its own in `emits`, got {event!r}, with which {other} fails: who listens to it expects a failure, "
        "not what this step writes. Give one of the two another name"
    )


def unresolved(steps: Mapping[str, Step], known: Mapping[str, Party]) -> Iterator[UnresolvedError]:
    """Yield what `steps` refer to and no party that is known provides: the events that they listen to, the steps that they read.

    It may come later, with the contract of a service that is not there yet.
    """
    reached = reachable(known, starting(known), lambda party: party.publishes)
    published = {event for party in reached.values() for event in party.publishes}
    for step in steps.values():
        for event in step.on:
            if event not in published:
                yield _unresolved(step, _unpublished(event, known), f"no run publishes {event!r}")
        for read in step.reads:
            if read.step not in known:
                yield _unresolved(step, _undeclared(read, known), f"nobody declares the step {read.step!r}")


def _unresolved(step: Step, text: str, missing: str) -> UnresolvedError:
    error = UnresolvedError(text, path=step.name, **step.place)
    error.missing = missing
    return error


def starting(known: Mapping[str, Party]) -> list[str]:
    """Return the steps that start runs: those that listen to nothing."""
    return [name for name, party in known.items() if not party.on]


def reachable(
    known: Mapping[str, Party], working: Iterable[str], published: Callable[[Party], Iterable[str]]
) -> dict[str, Party]:
    """Return the steps of `working`, and every step that may follow when they publish these events; the nearer ones first."""
    reached = {name: known[name] for name in working}
    fresh = reached
    while fresh:
        events = {event for party in fresh.values() for event in published(party)}
        fresh = {name: party for name, party in known.items() if name not in reached and events & set(party.on)}
        reached = reached | fresh
    return reached


def _unpublished(event: str, known: Mapping[str, Party]) -> str:
    emitters = [name for name, party in known.items() if event in party.publishes]
    if emitters:
        return f"listens to {event!r}, which {' and '.join(emitters)} would publish, but no starting step leads there"
    published = ", ".join(sorted({event for party in known.values() for event in party.publishes}))
    return f"listens to {event!r}, which nobody publishes: published are {published or 'none'}"


def _undeclared(read: Read, known: Mapping[str, Party]) -> str:
    return (
        f"{_view(read)} reads the step {read.step!r}, which nobody declares: known are {', '.join(known)}. Name the step with "
        f'`Annotated[{read.view.model.__name__}, From("step")]`, or add the contract of its service to the contracts folder'
    )


def _view(read: Read) -> str:
    return f"the view {read.view.model.__name__} of the parameter `{read.parameter}`"


def _unreadable(read: Read, producer: Party) -> str | None:
    """Say why there is nothing of `producer` that `read` could ever give its handler; None when there is."""
    if read.is_failure:
        return (
            None
            if producer.on
            else f"{_view(read)} reads a failure of {read.step!r}, which starts runs and cannot fail"
        )
    obstacles = [obstacle(schema, read) for schema in producer.writes]
    if None in obstacles:
        return None
    found = "; ".join(filter(None, obstacles)) or "it writes nothing"
    return f"{_view(read)} can read nothing that the step {read.step!r} writes: {found}"


def obstacle(written: Mapping[str, Any], read: Read) -> str | None:
    """Say what keeps a view from reading every datum of a writer schema; None when nothing does."""
    writer, reader = load(written), load(read.view.schema)
    reader.aliases |= {writer.name}
    found = Readability().obstacle(writer, reader)
    return None if found is None else f"{writer.name}: {found}"
