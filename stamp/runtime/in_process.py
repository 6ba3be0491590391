"""A broker inside one process, private to its connection: kombu's memory transport without what it shares."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Queue
from typing import Any

from kombu.transport import memory, virtual

from stamp.runtime.connection import Connection

__all__ = ["connect"]


def connect() -> Connection:
    """Return a connection to a new broker, which lives and dies with it and which nobody else can reach."""
    return Connection("in-process", transport=_Transport)


class _Channel(memory.Channel):
    """Keeps bodies as they are, and its queues in the transport: kombu keeps those in the class, for the whole process."""

    body_encoding = ""

    def __init__(self, connection: _Transport, **options: Any) -> None:
        super().__init__(connection, **options)
        self.queues = connection.queues

    def _poll(self, cycle: object, callback: Callable[..., None], timeout: float | None = None) -> None:
        """Deliver from the first queue, in the order in which they were consumed, that holds a message.

        kombu's fair cycle goes on from where it stopped: the same messages would come in another order after other ones.
        """
        for queue in self._active_queues:
            if self._size(queue):
                self._get_and_deliver(queue, callback)
                return
        raise Empty


class _Transport(memory.Transport):
    """Holds the exchanges, bindings and queues of one connection."""

    Channel = _Channel

    def __init__(self, client: Connection, **options: Any) -> None:
        super().__init__(client, **options)
        self.state = virtual.BrokerState()
        self.queues: dict[str, Queue[dict[str, Any]]] = {}
