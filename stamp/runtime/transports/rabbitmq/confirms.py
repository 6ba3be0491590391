"""Which messages RabbitMQ has answered for.

Each answer belongs to the delivery tag that it names. py-amqp's own confirms take any answer for the one that is waited for: after a
timeout the next message is "confirmed" by the late answer to the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import amqp
from amqp import spec

from stamp.errors import DeliveryError, RejectedError, UnroutableError

__all__ = ["PERSISTENT", "Confirms"]

PERSISTENT: Final = 2
"""The delivery mode of what survives the broker."""


class Confirms:
    """What was published on a channel since the last `take`, one verdict for each `slot`; a slot may be published to several places."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._next_tag = 1
        self._unconfirmed: dict[int, tuple[int, str, str, str | None]] = {}
        self._returned: set[int] = set()
        self._verdicts: list[DeliveryError | None] = []
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)

    @property
    def in_flight(self) -> int:
        """How many messages the broker has not answered for."""
        return len(self._unconfirmed)

    def open(self) -> int:
        """Return a new slot."""
        self._verdicts.append(None)
        return len(self._verdicts) - 1

    def condemn(self, slot: int, verdict: DeliveryError) -> None:
        """Note what is wrong with a slot; the first verdict stays."""
        self._verdicts[slot] = self._verdicts[slot] or verdict

    def publish(self, slot: int, message: amqp.Message, exchange: str, key: str, *, mandatory: bool) -> None:
        """Publish `message` for `slot`.

        Not with `basic_publish`: that looks for events by itself, in a way that may spin while half a frame is there.
        """
        self._channel.send_method(spec.Basic.Publish, "Bssbb", (0, exchange, key, mandatory, False), message)
        self.expect(slot, exchange, key, message.properties.get("message_id"))

    def expect(self, slot: int, exchange: str, key: str, message_id: str | None) -> None:
        """Count the answer to the message that was published in another way, for `slot`."""
        self._unconfirmed[self._next_tag] = slot, exchange, key, message_id
        self._next_tag += 1

    def take(self) -> Sequence[DeliveryError | None]:
        """Return the verdicts in the order of the slots, and begin anew."""
        verdicts, self._verdicts = self._verdicts, []
        self._returned.clear()
        return verdicts

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp calls it so
        for each in self._answered(tag, multiple=multiple):
            del self._unconfirmed[each]

    def _on_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp calls it so
        for each in self._answered(tag, multiple=multiple):
            slot, exchange, key, _ = self._unconfirmed.pop(each)
            self.condemn(
                slot,
                RejectedError(
                    f"RabbitMQ refused {key!r} to exchange {exchange!r} (nack): a queue is full, or not enough of its replicas are there; "
                    "publish again"
                ),
            )

    def _on_return(self, _error: Any, exchange: str, key: str, message: amqp.Message) -> None:
        """Condemn the oldest message that this may be: what is returned is answered for afterwards, in order."""
        returned = exchange, key, message.properties.get("message_id")
        for tag, (slot, *sent) in self._unconfirmed.items():
            if tuple(sent) == returned and tag not in self._returned:
                self._returned.add(tag)
                self.condemn(slot, _unroutable(exchange, key))
                return

    def _answered(self, tag: int, *, multiple: bool) -> Sequence[int]:
        """Return the tags that an answer is about; they were given out in ascending order."""
        return [each for each in self._unconfirmed if each <= tag] if multiple else [tag]


def _unroutable(exchange: str, key: str) -> UnroutableError:
    if exchange:
        return UnroutableError(
            f"no queue bound to exchange {exchange!r} takes {key!r}; somebody unbound it or deleted the queue: connect again to declare it"
        )
    return UnroutableError(f"there is no queue {key!r}; somebody deleted it: connect again to declare it")
