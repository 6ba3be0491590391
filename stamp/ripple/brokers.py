"""What brokers take, and so how large an envelope may become."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["BROKERS", "Broker"]

KIB: Final = 1024
MIB: Final = 1024 * KIB

PROPERTIES: Final = 2 * KIB
"""What is kept for headers and properties, which SQS and Kafka count too; ours do not grow."""


class Broker(NamedTuple):
    """A broker in its usual setting. `limit` is in bytes of a message as the broker counts them.

    `parts` over `whole` is what is left of it for the envelope: kombu gives SQS text, with base64 around the body and again around
    the whole message (kombu 5.5, `sqs_base64_encoding`), which makes 16 bytes of 9.
    """

    name: str
    limit: int
    note: str
    parts: int = 1
    whole: int = 1

    @property
    def envelope(self) -> int:
        """How many bytes an envelope may have."""
        return (self.limit - PROPERTIES) * self.parts // self.whole


BROKERS: Final = (
    Broker(
        "SQS before August 2025", 256 * KIB, "also SNS, EventBridge, and queues whose MaximumMessageSize was set", 9, 16
    ),
    Broker("SQS", MIB, "since August 2025, unless the queue's MaximumMessageSize says less", 9, 16),
    Broker("Kafka", MIB, "message.max.bytes and max.request.size as they are by default"),
    Broker("RabbitMQ 4", 16 * MIB, "max_message_size as it is by default"),
    Broker("RabbitMQ 3.8 to 3.13", 128 * MIB, "max_message_size as it is by default"),
)
"""From the one that takes least."""
