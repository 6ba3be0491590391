"""Consumes streams as one consumer of their groups."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Final
from uuid import uuid4

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
from stamp.runtime.transports.letters import dead
from stamp.runtime.transports.redis import scripts
from stamp.runtime.transports.redis.entry import Entry
from stamp.runtime.transports.redis.holdings import Holdings, by_key
from stamp.runtime.transports.redis.line import Command, Line
from stamp.runtime.transports.redis.streams import GROUP

__all__ = ["BEAT", "RedisReceiver"]

BEAT: Final = 1.0
"""How often to say that we live and to look for what others left, and how long to block at most, in seconds."""
TICK: Final = 0.1
"""How much later than asked for the server may end a block, in seconds: with `hz 10`, the default, it looks every tenth."""
PAUSE: Final = 0.005
"""How long to pause between two looks, where blocking is of no use, in seconds."""
LARGE: Final = 2**20
"""Bytes that an entry is expected to have at most: only one that is larger can come, with others, although there is no room for it."""
AT_ONCE: Final = 8
"""How many entries of a stream to read at once: that is nearly as quick as all of them, and other streams have their turn soon."""
LAST: Final = f"{2**64 - 2}-0"
"""An id that comes after all that entries have."""


class RedisReceiver:
    """Reads new entries, and those of consumers that died. `keys` has the queue of each stream, `redeliver` is in seconds.

    From within `receive` it says again and again that it is still at work on what it holds. An entry of which nobody said that for
    `redeliver` seconds belongs to whoever claims it.
    """

    def __init__(
        self,
        line: Line,
        keys: Mapping[str, str],
        *,
        prefetch: int,
        redeliver: float,
        prefetch_bytes: int = PREFETCH_BYTES,
    ) -> None:
        self._line = line
        self._queues = keys
        self._prefetch, self._prefetch_bytes = prefetch, prefetch_bytes
        self._redeliver = redeliver
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
        self._held = Holdings(line, self._name)
        self._turns = deque(keys)
        self._cursors: dict[str, bytes] = dict.fromkeys(keys, b"0-0")
        self._beat = min(BEAT, redeliver / 4)
        self._beats_at = self._dismisses_at = monotonic()

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return what has arrived, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed, or a stream was deleted.
        """
        deadline = monotonic() + timeout
        while True:
            arrivals = self._look_after() or self._read(min(deadline - monotonic(), self._beat))
            if arrivals or monotonic() >= deadline:
                return arrivals

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Remove entries for good; what is not held, because it was acknowledged before, is passed over.

        In one transaction, because an entry that was acknowledged but not deleted would stay in memory for ever.

        Raises:
            DeliveryError: the connection failed.
        """
        entries = self._held.select(each.tag for each in arrivals)
        if not entries:
            return
        commands: list[Command] = []
        for key, ids in by_key((entry.key, entry.id) for entry in entries).items():
            commands += [("XACK", key, GROUP, *ids), ("XDEL", key, *ids)]
        self._line.ask(("MULTI",), *commands, ("EXEC",))
        self._held.remove(entries)

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Move an entry to the stream of its queue's dead letters, with a header `stamp-reason`; if it is still in the group.

        Raises:
            DeliveryError: the connection failed, or the letter could not be written: then the entry stays as it is.
        """
        for entry in self._held.select([arrival.tag]):
            keys = entry.key, dead(entry.key)
            self._line.ask(("EVAL", scripts.BURY, len(keys), *keys, GROUP, entry.id, *entry.letter(reason)))
            self._held.remove([entry])

    def close(self) -> None:
        """Give back what is held, to be claimed at once, and close the connection."""
        with suppress(DeliveryError):  # what cannot be given back now, others claim later
            self._held.refresh(idle=self._milliseconds)
            self._dismiss(self._name)
        self._line.close()

    def _look_after(self) -> Sequence[Arrival]:
        """From time to time: keep what is ours, claim what nobody holds any more, and forget consumers that have gone."""
        now = monotonic()
        if now < self._beats_at:
            return []
        self._beats_at = now + self._beat
        self._say_that_we_live()
        self._held.refresh()
        if now >= self._dismisses_at:
            self._dismisses_at = now + self._redeliver
            self._dismiss()
        return self._claim()

    def _say_that_we_live(self) -> None:
        """Read our own entries after the last one there can be: before 7.2 the server hears of a consumer only when it gives it something to read."""
        streams = "STREAMS", *self._queues, *(LAST for _ in self._queues)
        self._line.ask(("XREADGROUP", "GROUP", GROUP, self._name, "COUNT", 1, *streams))

    def _claim(self) -> Sequence[Arrival]:
        keys, count = self._share()
        entries: list[Entry] = []
        for key in keys:
            room = self._room - sum(each.size for each in entries)
            whose = GROUP, self._name, self._milliseconds, self._cursors[key]
            claim: Command = ("EVAL", scripts.CLAIM, 1, key, *whose, room, count)
            ((cursor, found),) = self._line.ask(claim)
            self._cursors[key] = cursor
            entries += [Entry.read(key, each) for each in found]
        new = self._held.new(entries)
        return self._accept(new, self._deliveries(new))

    def _deliveries(self, entries: Sequence[Entry]) -> Sequence[int]:
        """Return how often each of `entries` was given out: a claim counts it, but does not tell."""
        answers = self._line.ask(*(("XPENDING", each.key, GROUP, each.id, each.id, 1) for each in entries))
        return [rows[0][3] if rows else 1 for rows in answers]

    def _read(self, wait: float) -> Sequence[Arrival]:
        """Read new entries, waiting for the first at most `wait` seconds."""
        keys, count = self._share()
        arrivals = self._take(keys, count) if keys else []
        # To block on a part of the streams would hold up the others.
        if not arrivals and len(keys) == len(self._queues) and wait >= 2 * TICK:
            return self._wait(keys, wait - TICK)
        if not arrivals:
            sleep(max(0.0, min(wait, PAUSE)))
        return arrivals

    def _take(self, keys: Sequence[str], count: int) -> Sequence[Arrival]:
        """Take what there is room for."""
        limits = self._room, count, LARGE, AT_ONCE
        (found,) = self._line.ask(("EVAL", scripts.READ, len(keys), *keys, GROUP, self._name, *limits))
        entries = [Entry.read(key.decode(), each) for key, each in found]
        return self._accept(entries, [1] * len(entries))

    def _wait(self, keys: Sequence[str], seconds: float) -> Sequence[Arrival]:
        """Wait for the first entry, of each stream that has one: nobody knows how large it is."""
        streams = "STREAMS", *keys, *(">" for _ in keys)
        block = "BLOCK", int(seconds * 1000)
        command: Command = ("XREADGROUP", "GROUP", GROUP, self._name, "COUNT", 1, *block, *streams)
        (answer,) = self._line.ask(command, wait=seconds)
        entries = [Entry.read(key.decode(), each) for key, found in answer or () for each in found]
        return self._accept(entries, [1] * len(entries))

    def _share(self) -> tuple[Sequence[str], int]:
        """Return from which streams to take how many each, so that the limit is kept. Each is the first in turn: there may be room for no more."""
        room = max(0, self._prefetch - len(self._held)) if self._room > 0 else 0
        keys = list(self._turns)[:room]
        self._turns.rotate(-1)
        return keys, room // max(1, len(keys))

    @property
    def _room(self) -> int:
        """Bytes that may come."""
        return self._prefetch_bytes - self._held.size

    def _accept(self, entries: Sequence[Entry], deliveries: Iterable[int]) -> Sequence[Arrival]:
        self._held.add(entries)
        return [each.arrival(self._queues[each.key], count) for each, count in zip(entries, deliveries, strict=True)]

    def _dismiss(self, name: str = "") -> None:
        """Remove consumers without entries that have not been heard of for long, and `name`."""
        self._line.ask(*(("EVAL", scripts.DISMISS, 1, key, GROUP, name, self._milliseconds) for key in self._queues))

    @property
    def _milliseconds(self) -> int:
        return int(self._redeliver * 1000)
