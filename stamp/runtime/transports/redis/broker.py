"""Redis as a transport."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import PREFETCH_BYTES, Promises
from stamp.runtime.transports.redis import scripts
from stamp.runtime.transports.redis.address import Address
from stamp.runtime.transports.redis.directory import RedisDirectory
from stamp.runtime.transports.redis.graveyard import RedisGraveyard
from stamp.runtime.transports.redis.line import Line
from stamp.runtime.transports.redis.receiver import BEAT, RedisReceiver
from stamp.runtime.transports.redis.sender import LARGEST, RedisSender
from stamp.runtime.transports.redis.streams import GROUP, declare
from stamp.runtime.transports.removal import consumed, filled

__all__ = ["Redis"]

OLDEST: Final = (6, 2)


class Redis:
    """A Redis server at `url`: `redis://user:password@host:6379/0?redeliver=30`, or `rediss://` for TLS.

    Options: `redeliver`, after how many seconds without a sign of life a consumer counts as dead; `prefix` of all keys; `timeout`,
    how many seconds an answer may take; `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile`, paths. The server must not evict keys
    (`maxmemory-policy noeviction`), and it is a single primary, not a cluster.

    Raises:
        InputError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)

    @property
    def address(self) -> str:
        """Where it is, without user and password."""
        return str(self._address)

    @property
    def promises(self) -> Promises:
        """What it promises.

        It does not keep: with `appendfsync everysec` the last second is lost with the machine, and without an append-only file all
        since the last snapshot. Receipts in the store heal that.
        """
        return Promises(
            keeps=False,
            returns=True,
            redelivers=self._address.redeliver + 2 * BEAT,
            buries=True,
            between_processes=True,
            largest=LARGEST,
        )

    def sender(self, topology: Topology) -> RedisSender:
        """Connect to publish.

        Raises:
            DeliveryError: nobody answers there, it refuses us, or is older than Redis 6.2.
        """
        return RedisSender(self._connect(topology), topology, self._address.key)

    def receiver(
        self, topology: Topology, queues: Sequence[str], *, prefetch: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> RedisReceiver:
        """Connect to consume `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        line = self._connect(topology)
        keys = {self._address.key(queue): queue for queue in queues}
        return RedisReceiver(
            line, keys, prefetch=prefetch, prefetch_bytes=prefetch_bytes, redeliver=self._address.redeliver
        )

    def graveyard(self, queues: Sequence[str]) -> RedisGraveyard:
        """Open the dead letters of `queues`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return RedisGraveyard(self._connect(), self.address, queues, self._address.key)

    def directory(self, workflow: str) -> RedisDirectory:
        """Connect to the directory of `workflow`.

        Raises:
            DeliveryError: as for `sender`.
        """
        return RedisDirectory(self._connect(), self._address.directory(workflow))

    def remove(self, topology: Topology, queue: str, *, discard: bool) -> int:
        """Delete the stream of a queue, and return how many messages were in it.

        Raises:
            DeliveryError: as for `sender`, or messages are in it that may not go, or a consumer was heard of within `redeliver` seconds.
        """
        facts = GROUP, int(discard), int(self._address.redeliver * 1000)
        with closing(self._connect()) as line:
            ((is_consumed, waiting),) = line.ask(("EVAL", scripts.REMOVE, 1, self._address.key(queue), *facts))
        if is_consumed:
            raise consumed(topology, queue)
        if waiting and not discard:
            raise filled(topology, queue, waiting)
        return int(waiting)

    def _connect(self, topology: Topology | None = None) -> Line:
        line = Line(self._address)
        try:
            _must_be_recent(line, self.address)
            declare(line, [self._address.key(queue.name) for queue in (topology.queues if topology else ())])
        except DeliveryError:
            line.close()
            raise
        return line


def _must_be_recent(line: Line, address: str) -> None:
    (text,) = line.ask(("INFO", "server"))
    facts = dict(row.split(":", 1) for row in text.decode().splitlines() if ":" in row)
    version = facts.get("redis_version", "0")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise DeliveryError(
            f"the server at {address} is Redis {version}, and streams can be used from 6.2 on; upgrade it"
        )
