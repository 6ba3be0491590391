"""Publishes to streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final, TypeAlias

from redis.exceptions import ResponseError

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel
from stamp.runtime.transports.admission import refusal
from stamp.runtime.transports.redis.entry import written
from stamp.runtime.transports.redis.line import Command, Line

__all__ = ["LARGEST", "RedisSender"]

LARGEST: Final = 16 * 2**20
"""Bytes of a body. Redis takes 512 MiB, and holds each in memory."""

Posted: TypeAlias = DeliveryError | tuple[str, ...]
"""What became of a parcel: it was refused here, or sent to these queues."""


class RedisSender:
    """Adds entries, and reads what the server says of them later. `key` tells the stream of a queue."""

    def __init__(self, line: Line, topology: Topology, key: Callable[[str], str]) -> None:
        self._line = line
        self._topology = topology
        self._key = key
        self._posted: list[Posted] = []

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Send `parcels`. One that is for several queues reaches all of them or none; only a queue that does not exist is left out.

        A parcel for no queue goes nowhere: streams know no topics, so nobody can have asked for it.

        Raises:
            DeliveryError: the connection failed.
        """
        commands: list[Command] = []
        for parcel in parcels:
            refused = refusal(parcel, self._topology, LARGEST)
            self._posted.append(refused or parcel.queues)
            if refused is None:
                commands.extend(self._commands(parcel))
        if commands:
            self._line.send(commands)

    def confirm(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Read the server's answers, at most `timeout` seconds. Without any to come, it looks whether the connection is still there.

        Raises:
            DeliveryError: the connection failed or an answer is missing.
        """
        posted, self._posted = self._posted, []
        if not posted:
            self._line.must_be_alive()
        deadline = monotonic() + timeout
        return [each if isinstance(each, DeliveryError) else self._verdict(each, deadline) for each in posted]

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _commands(self, parcel: Parcel) -> Sequence[Command]:
        fields = written(parcel.message) if parcel.queues else ()
        # NOMKSTREAM: nobody reads from a stream without a group.
        adds: list[Command] = [("XADD", self._key(queue), "NOMKSTREAM", "*", *fields) for queue in parcel.queues]
        return adds if len(adds) < 2 else [("MULTI",), *adds, ("EXEC",)]

    def _verdict(self, queues: Sequence[str], deadline: float) -> DeliveryError | None:
        """Read the answers to one parcel and return what is wrong with it."""
        if len(queues) < 2:
            ids: Sequence[Any] = [self._line.answer(deadline) for _ in queues]
        else:
            queued = [self._line.answer(deadline) for _ in ("MULTI", *queues)]
            ids = self._results(queued, self._line.answer(deadline))
        for queue, each in zip(queues, ids, strict=False):
            if isinstance(each, DeliveryError):
                return each
            if each is None:
                return UnroutableError(f"there is no queue {queue!r} any more; connect again to declare it")
        return None

    def _results(self, queued: Sequence[Any], executed: Any) -> Sequence[Any]:
        """Return what a transaction came to: the error that kept it from running, or the result of each command."""
        if isinstance(executed, DeliveryError):
            return [next((each for each in queued if isinstance(each, DeliveryError)), executed)]
        return [self._line.refusal(each) if isinstance(each, ResponseError) else each for each in executed]
