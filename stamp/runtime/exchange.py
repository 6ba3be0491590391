"""A topic exchange for kombu's virtual transports that is safe for more than one listener.

kombu's own one puts the *same* message into every queue, with one delivery tag and one dict of headers: on Redis the first ack
removes the un-acked record of all siblings, a requeue goes through the exchange again and gives every sibling a duplicate,
`order.#` does not take `order`, and what no queue takes vanishes. RabbitMQ has an exchange of its own that is right.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kombu.transport import virtual
from kombu.transport.virtual.exchange import TopicExchange

from stamp.errors import UnroutableError
from stamp.runtime.topic import matches

__all__ = ["CopyingTopicExchange", "SafeChannel"]


class CopyingTopicExchange(TopicExchange):
    """Gives each queue a message of its own, which knows no other way back than to that queue.

    Bindings are stored as kombu stores them, so both kinds of exchange can work on the same ones; only the routing differs.
    """

    def lookup(self, table: Any, exchange: str, routing_key: str, default: str | None) -> list[str]:
        """Return the bound queues that take `routing_key`, sorted, each once.

        Judged by the routing key of the binding, the first column: kombu's pattern beside it follows other rules.
        """
        return sorted({queue for pattern, _, queue in table if matches(pattern, routing_key)})

    def deliver(self, message: dict[str, Any], exchange: str, routing_key: str, **options: Any) -> None:
        """Put a copy of `message` into every queue that takes it.

        If the transport fails on the way, some queues have their copy already: publishing again is a repeat for those.

        Raises:
            UnroutableError: no queue takes it.
        """
        channel = self.channel
        queues = self.lookup(channel.get_table(exchange), exchange, routing_key, None)
        if not queues:
            raise UnroutableError(
                f"no queue bound to exchange {exchange!r} takes {routing_key!r}; "
                "declare the queues of its listeners on this connection before publishing"
            )
        for queue in queues:
            copy = deepcopy(message)
            copy["properties"]["delivery_tag"] = channel._next_delivery_tag()  # noqa: SLF001 - kombu's contract with exchanges
            copy["properties"]["delivery_info"] = {"exchange": "", "routing_key": queue}
            channel._put(queue, copy, **options)  # noqa: SLF001 - the same


class SafeChannel(virtual.Channel):
    """A virtual channel that knows which exchanges it may publish to; mixed into the channel of a transport."""

    def basic_publish(self, message: dict[str, Any], exchange: str, routing_key: str, **options: Any) -> Any:
        """Publish `message`.

        Raises:
            UnroutableError: no queue takes it, or this connection has not declared `exchange`. kombu would take that for a direct
                exchange: no pattern would match, and all copies would be one message again.
        """
        if exchange and exchange not in self.state.exchanges:
            raise UnroutableError(
                f"exchange {exchange!r} is not declared on this connection; declare it before publishing"
            )
        return super().basic_publish(message, exchange, routing_key, **options)
