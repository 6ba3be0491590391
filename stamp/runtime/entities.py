"""The topology of a workflow in kombu's words."""

from __future__ import annotations

from collections.abc import Iterable

from kombu.entity import Exchange, Queue, binding

from stamp.runtime.topology import Topology

__all__ = ["exchange", "queue", "queues"]


def exchange(topology: Topology) -> Exchange:
    """Return the exchange that everything of the workflow is published to."""
    return Exchange(topology.exchange, type="topic")


def queue(topology: Topology, name: str, events: Iterable[str]) -> Queue:
    """Return a queue that gets a copy of each of `events`; declaring it declares the exchange and the bindings too."""
    return Queue(name, bindings=[binding(exchange(topology), routing_key=event) for event in events])


def queues(topology: Topology) -> list[Queue]:
    """Return the queues of the steps, in their order."""
    return [queue(topology, each.name, each.events) for each in topology.queues]
