"""The exchange and the queues of a workflow on RabbitMQ.

Quorum queues: what they confirmed is on the disks of a majority, and they count deliveries, so that a message which kills every
consumer ends in the dead letter queue `<queue>.dead` and not in a circle. On the way there it is not lost either: `at-least-once`
needs `reject-publish`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from amqp.exceptions import PreconditionFailed

from stamp.errors import DeliveryError
from stamp.runtime.topology import StepQueue, Topology

__all__ = ["dead", "declare", "declare_exchange", "declare_queue", "queues_of"]

DELIVERIES: Final = 100
# RabbitMQ 4 drops what was looked at 20 times unless told otherwise, and 3.10 does not know "never".
LOOKS: Final = 1_000_000
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
