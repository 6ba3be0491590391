"""What can be wrong with the queues of a workflow on RabbitMQ. Nothing is made that is not there, and nothing is taken out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any, Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.doctor.contracts import nobody
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, warning
from stamp.runtime.topology import StepQueue, Topology
from stamp.runtime.transports.rabbitmq.address import Address
from stamp.runtime.transports.rabbitmq.layout import dead, declare_exchange, declare_queue, queues_of
from stamp.runtime.transports.rabbitmq.link import Link

__all__ = ["examine"]

UNMADE: Final = "whoever is the first to publish or to consume makes it"

On = Callable[[Any], Any]
"""Something that can be done on a channel."""


def examine(url: str, topology: Topology, *, announced: Collection[str] = ()) -> Iterator[Diagnosis]:
    """Look at the exchange and the queues of a workflow; the steps `announced` are in its directory.

    Not at bindings, which AMQP does not show; whoever publishes or consumes makes those again that are missing.
    """
    try:
        with closing(Link(Address.parse(url))) as link:
            yield _exchange(link, topology.exchange)
            for queue in topology.queues:
                for name, arguments in queues_of(queue).items():
                    advice = nobody(topology.exchange, queue.step, is_announced=queue.step in announced)
                    yield _queue(link, queue, name, arguments, advice=advice)
    except DeliveryError as error:
        yield problem(topology.exchange, str(error), "")


def _exchange(link: Link, name: str) -> Diagnosis:
    if _found(link, lambda channel: channel.exchange_declare(name, "topic", passive=True)) is None:
        return warning(name, "no such exchange yet", UNMADE)
    return _refused(link, name, partial(declare_exchange, name=name)) or ok(
        name, "a topic exchange; AMQP does not show its bindings, and each worker makes them again when it connects"
    )


def _queue(link: Link, queue: StepQueue, name: str, arguments: Mapping[str, Any], *, advice: str) -> Diagnosis:
    facts = _found(link, lambda channel: channel.queue_declare(name, passive=True))
    if facts is None:
        return warning(name, "no such queue yet", UNMADE)
    refused = _refused(link, name, partial(declare_queue, name=name, arguments=arguments))
    if refused is not None:
        return refused
    if name == dead(queue.name):
        see = f"see them: stamp dlq list --broker ... --queue {queue.name}"
        return judged(name, f"{facts.message_count:,} dead letters", {State.WARNING: facts.message_count > 0}, see)
    found = f"{facts.message_count:,} messages wait, consumers: {facts.consumer_count:,}"
    alone = facts.message_count > 0 and not facts.consumer_count
    return judged(name, found, {State.WARNING: alone}, advice)


def _found(link: Link, look: On) -> Any:
    """Return what looking at something gives; None if it is not there."""
    with link.guard():
        try:
            return look(link.open_channel()) or True
        except amqp.NotFound:
            return None


def _refused(link: Link, name: str, declare: On) -> Diagnosis | None:
    """Declare what is there, as a worker would, and return what the broker has against it."""
    with link.guard():
        try:
            declare(link.open_channel())
        except amqp.AccessRefused as error:
            return problem(name, str(error.reply_text), "allow this user to configure, write and read it")
        except (amqp.ChannelError, DeliveryError) as error:
            return problem(name, str(error), "")
    return None
