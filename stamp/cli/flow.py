"""The flow of a workflow, which its contracts only imply: steps, the events between them, and who reads what of whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stamp.ripple import Graph
from stamp.ripple.graph import published
from stamp.workflow.contract import StepContract

__all__ = ["Event", "Flow", "Read", "Step", "flow"]


@dataclass(frozen=True, slots=True)
class Read:
    """What a step takes from the contribution of another one: the fields of its view, inner ones by their whole path."""

    producer: str
    fields: tuple[str, ...]
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step. `layer` is over how many events it is reached, 0 where runs start; `fails` the event of failure that nobody listens to."""

    name: str
    layer: int
    reads: tuple[Read, ...]
    is_start: bool
    is_reached: bool
    fails: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """An event, who may publish it, and who listens to it. `is_end` tells that a publisher expects nothing after it."""

    name: str
    publishers: tuple[str, ...]
    listeners: tuple[str, ...]
    is_failure: bool
    is_end: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps in the order in which a run may come to them, and the events in the order of who publishes them.

    Events of failure without listeners are said of their steps alone. `missing` are the steps that others read, and that do not exist.
    """

    workflow: str
    steps: tuple[Step, ...]
    events: tuple[Event, ...]
    missing: tuple[str, ...]


def flow(graph: Graph) -> Flow:
    """Return the flow of a workflow."""
    layers = _layers(graph)
    parties = sorted(graph.parties, key=lambda party: layers[party.step])
    return Flow(
        workflow=graph.workflow,
        steps=tuple(_step(party, graph, layers[party.step]) for party in parties),
        events=tuple(_events(parties, graph)),
        missing=tuple(sorted({producer for party in parties for producer in party.reads} - layers.keys())),
    )


def _step(party: StepContract, graph: Graph, layer: int) -> Step:
    return Step(
        name=party.step,
        layer=layer,
        reads=tuple(
            Read(producer, tuple(_fields(schema)), producer in party.optional)
            for producer, schema in party.reads.items()
        ),
        is_start=not party.on,
        is_reached=graph.is_reached(party),
        fails=party.fails if party.on and not graph.listeners(party.fails) else None,
    )


def _events(parties: Collection[StepContract], graph: Graph) -> Iterator[Event]:
    told = dict.fromkeys(
        event for party in parties for event in published(party) if event in party.emits or graph.listeners(event)
    )
    awaited = (event for party in parties for event in party.on)
    for name in dict.fromkeys((*told, *awaited)):
        publishers = graph.publishers(name)
        yield Event(
            name=name,
            publishers=publishers,
            listeners=graph.listeners(name),
            is_failure=bool(publishers) and not any(name in party.emits for party in parties),
            is_end=any(name in party.ends for party in parties),
        )


def _layers(graph: Graph) -> dict[str, int]:
    """Return over how many events each step is reached. What cannot be reached begins anew, with those to which nobody leads."""
    found: dict[str, int] = {}
    led = {step for party in graph.parties for event in published(party) for step in graph.listeners(event)}
    starts = [party.step for party in graph.parties if not party.on]
    lost = [party.step for party in graph.parties if party.step not in led]
    _spread(starts, graph, found)
    anywhere = [party.step for party in graph.parties]
    for root in (*lost, *anywhere):  # of a circle to which nobody leads, any step is the first
        if root not in found:
            _spread([root], graph, found)
    return found


def _spread(roots: Iterable[str], graph: Graph, found: dict[str, int]) -> None:
    waiting = deque(roots)
    found |= dict.fromkeys(waiting, 0)
    by_name = {party.step: party for party in graph.parties}
    while waiting:
        step = waiting.popleft()
        following = (each for event in published(by_name[step]) for each in graph.listeners(event))
        for each in following:
            if each not in found:
                found[each] = found[step] + 1
                waiting.append(each)


def _fields(schema: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields at the bottom of a schema: `customer.language`, `items[].price`."""
    match schema:
        case {"type": "record", "fields": fields}:
            for field in fields:
                yield from _fields(field["type"], f"{path}.{field['name']}" if path else field["name"])
        case {"type": "array", "items": items}:
            yield from _fields(items, f"{path}[]")
        case {"type": "map", "values": values}:
            yield from _fields(values, f"{path}{{}}")
        case {"type": Mapping() | list() as inner}:
            yield from _fields(inner, path)
        case list():
            yield from dict.fromkeys(each for branch in schema if branch != "null" for each in _fields(branch, path))
        case _:
            yield path
