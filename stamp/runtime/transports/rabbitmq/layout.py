"""The exchange and the queues of a workflow on RabbitMQ.

Quorum queues: what they confirmed is on the disks of a majority, and they count deliveries, so that a message which kills every
consumer ends in the dead letter queue `<queue>.dead` and not in a circle. On the way there it is not lost either: `at-least-once`
needs `reject-publish`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from amqp.exceptions import InternalError, NotFound, PreconditionFailed

from stamp.errors import DeliveryError
from stamp.runtime.topology import StepQueue, Topology
from stamp.runtime.transports.removal import consumed, filled

__all__ = ["dead", "declare", "declare_exchange", "declare_queue", "declare_stream", "delete_queue", "queues_of"]

DELIVERIES: Final = 100
# RabbitMQ 4 drops what was looked at 20 times unless told otherwise, and 3.10 does not know "never".
LOOKS: Final = 1_000_000
STREAM: Final = {"x-queue-type": "stream"}
INEQUIVALENT: Final = "inequivalent arg"
DELETE: Final = {"queue": "rabbitmqctl delete_queue ", "exchange": "rabbitmqadmin delete exchange name="}


def dead(queue: str) -> str:
    """Return the name of the dead letter queue of `queue`."""
    return f"{queue}.dead"


def declare(channel: Any, topology: Topology) -> None:
    """Declare everything of `topology`; what is there already stays as it is.

    Raises:
        DeliveryError: something of that name exists with other properties.
    """
    name = topology.exchange
    declare_exchange(channel, name)
    for queue in topology.queues:
        for each, arguments in queues_of(queue).items():
            declare_queue(channel, each, arguments)
        for event in queue.events:
            channel.queue_bind(queue.name, name, event)


def declare_exchange(channel: Any, name: str) -> None:
    """Declare the exchange of a workflow.

    Raises:
        DeliveryError: it exists with other properties.
    """
    with _explained("exchange", name):
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)


def queues_of(queue: StepQueue) -> Mapping[str, Mapping[str, Any]]:
    """Return the arguments of the two queues of a step, in the order in which they are declared: letters have to have a place before they die."""
    return {dead(queue.name): {"x-delivery-limit": LOOKS}, queue.name: _arguments(queue)}


def declare_queue(channel: Any, name: str, arguments: Mapping[str, Any]) -> None:
    """Declare a queue.

    Raises:
        DeliveryError: it exists with other properties.
    """
    with _explained("queue", name):
        channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum", **arguments})


def delete_queue(channel: Any, topology: Topology, name: str, *, discard: bool) -> int:
    """Delete a queue and its bindings, and return how many messages were in it; 0 if there is no such queue.

    Quorum queues know no conditions such as "if empty" (RabbitMQ 3.10 to 4), so they are looked at before.

    Raises:
        DeliveryError: somebody consumes it, or messages wait in it and `discard` is not set.
    """
    try:
        found = channel.queue_declare(name, passive=True)
    except NotFound:
        return 0
    if found.consumer_count:
        raise consumed(topology, name)
    if found.message_count and not discard:
        raise filled(topology, name, found.message_count)
    return int(channel.queue_delete(name))


def declare_stream(channel: Any, name: str) -> None:
    """Declare a stream, which keeps every entry.

    Raises:
        DeliveryError: a queue of that name exists with other properties, or this broker has no streams.
    """
    with _explained("queue", name):
        try:
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=STREAM)
        except (PreconditionFailed, InternalError) as error:
            if INEQUIVALENT in error.reply_text:
                raise
            raise DeliveryError(
                f"RabbitMQ does not make the stream {name!r} ({error.reply_text}); streams need RabbitMQ 3.9 or later, and "
                "`rabbitmqctl enable_feature_flag stream_queue` after an upgrade"
            ) from error


@contextmanager
def _explained(kind: str, name: str) -> Iterator[None]:
    """Say what to do when RabbitMQ answers 406."""
    try:
        yield
    except PreconditionFailed as error:
        raise DeliveryError(
            f"{kind} {name!r} exists with other properties than ours ({error.reply_text}); when nobody needs it any more, "
            f"delete it with `{DELETE[kind]}{name}`, or use another virtual host"
        ) from error


def _arguments(queue: StepQueue) -> Mapping[str, Any]:
    return {
        "x-delivery-limit": DELIVERIES,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead(queue.name),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
