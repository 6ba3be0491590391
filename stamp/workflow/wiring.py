"""How the steps of a workflow hang together: whether every view has a writer, and every event a way to be published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stamp.errors import WorkflowError
from stamp.schema.resolve import Readability
from stamp.schema.types import load
from stamp.workflow.contract import StepContract
from stamp.workflow.step import Read, Step

__all__ = ["problems"]


@dataclass(frozen=True, slots=True)
class _Party:
    """A step as others see it, be it code in this process or a contract."""

    on: tuple[str, ...]
    publishes: frozenset[str]
    writes: tuple[Mapping[str, Any], ...]


def problems(steps: Mapping[str, Step], contracts: Mapping[str, StepContract]) -> Iterator[WorkflowError]:
    """Yield the mistakes that show only when all steps of a workflow are seen together.

    `steps` are those of this process; `contracts` stand for the others, and give way to a step of the same name.
    """
    parties = {name: _of_contract(contract) for name, contract in contracts.items()}
    parties |= {name: _of_step(step) for name, step in steps.items()}
    published = _reachable(parties)
    for step in steps.values():
        for event in step.on:
            if event not in published:
                yield WorkflowError(_unreachable(event, parties), path=step.name, **step.place)
        for read in step.reads:
            if read.step not in parties:
                text = f"the parameter {read.parameter!r} reads the step {read.step!r}, which nobody declares"
                yield WorkflowError(f"{text}: known are {', '.join(parties)}", path=step.name, **step.place)
            elif not read.is_failure and (reason := _unreadable(read, parties[read.step])):
                yield WorkflowError(reason, path=step.name, **step.place)


def _of_step(step: Step) -> _Party:
    writes = tuple(emission.binding.schema for emission in step.emissions.values())
    return _Party(step.on, frozenset({*step.emits, step.fails}), writes)


def _of_contract(contract: StepContract) -> _Party:
    writes = tuple(contract.latest(name).schema for name in dict.fromkeys(contract.emits.values()))
    return _Party(contract.on, frozenset({*contract.emits, contract.fails}), writes)


def _reachable(parties: Mapping[str, _Party]) -> set[str]:
    """Return every event that can follow from a starting step, which is one that listens to nothing."""
    published: set[str] = set()
    waiting = dict(parties)
    while due := [name for name, party in waiting.items() if not party.on or published & set(party.on)]:
        for name in due:
            published |= waiting.pop(name).publishes
    return published


def _unreachable(event: str, parties: Mapping[str, _Party]) -> str:
    emitters = [name for name, party in parties.items() if event in party.publishes]
    if emitters:
        return f"listens to {event!r}, which {' and '.join(emitters)} would publish but no starting step leads to"
    known = ", ".join(sorted({event for party in parties.values() for event in party.publishes}))
    return f"listens to {event!r}, which nobody publishes: published are {known or 'none'}"


def _unreadable(read: Read, producer: _Party) -> str | None:
    """Say why the view reads none of the records that its producer writes; None when it reads one."""
    found = []
    for schema in producer.writes:
        writer, reader = load(schema), load(read.view.schema)
        reader.aliases |= {writer.name}
        obstacle = Readability().obstacle(writer, reader)
        if obstacle is None:
            return None
        found.append(f"{writer.name}: {obstacle}")
    view = read.view.model.__name__
    return (
        f"the view {view} of {read.step!r} can read nothing that it writes: {'; '.join(found) or 'it writes nothing'}"
    )
