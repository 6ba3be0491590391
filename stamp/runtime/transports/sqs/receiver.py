"""Consumes queues of SQS."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from threading import Condition
from time import monotonic
from typing import Any, NamedTuple

from stamp.errors import DeliveryError
from stamp.runtime.transport import PREFETCH_BYTES, Arrival
from stamp.runtime.transports.estimate import Estimate
from stamp.runtime.transports.letters import dead
from stamp.runtime.transports.sqs import entry
from stamp.runtime.transports.sqs.fetcher import Fetcher
from stamp.runtime.transports.sqs.line import Line, in_batches

__all__ = ["SQSReceiver"]


class _Held(NamedTuple):
    """A message that SQS does not give to anybody else as long as we ask for it again and again."""

    queue: str
    received: Mapping[str, Any]

    @property
    def id(self) -> str:
        return _id(self.received)

    @property
    def handle(self) -> str:
        return str(self.received["ReceiptHandle"])

    @property
    def size(self) -> int:
        return len(self.received["Body"])


class SQSReceiver:
    """Consumes `queues`, each of which has a share of `prefetch`; from within `receive` it says that what it holds is still worked on.

    A message of which nobody said that for `visibility` seconds comes again, to whoever consumes then.
    """

    def __init__(
        self, line: Line, queues: Sequence[str], *, prefetch: int, visibility: int, prefetch_bytes: int = PREFETCH_BYTES
    ) -> None:
        self._line = line
        self._prefetch, self._share = prefetch, max(1, prefetch // len(queues))
        self._share_bytes = max(1, prefetch_bytes // len(queues))
        self._visibility = visibility
        self._extends_at = monotonic() + visibility / 3
        self._held: dict[str, _Held] = {}
        self._waiting: deque[_Held] = deque()
        self._estimates = {queue: Estimate(entry.MOST) for queue in queues}
        self._condition = Condition()
        self._is_open = True
        self._at_work = len(queues)
        self._fetchers = [
            Fetcher(
                line,
                queue,
                condition=self._condition,
                room=self._room,
                arrived=self._arrived,
                late=self._give_back,
                ended=self._ended,
            )
            for queue in queues
        ]

    def receive(self, timeout: float) -> Sequence[Arrival]:
        """Return what has arrived, waiting for the first at most `timeout` seconds.

        Raises:
            DeliveryError: the connection failed, or a queue was deleted.
        """
        self._must_be_open()
        deadline = monotonic() + timeout
        while True:
            self._extend()
            with self._condition:
                left = min(deadline, self._extends_at) - monotonic()
                self._condition.wait_for(lambda: self._ready() > 0 or self._failure() is not None, max(0.0, left))
                given = [self._waiting.popleft() for _ in range(self._ready())]
            if given or monotonic() >= deadline or self._failure() is not None:
                break
        self._must_not_have_failed(given)
        return [entry.arrival(each.queue, each.received) for each in given]

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Delete messages; what is not held is passed over.

        Raises:
            DeliveryError: the connection failed.
        """
        self._must_be_open()
        with self._condition:
            ours = [self._held[id_] for id_ in dict.fromkeys(_id(each.tag) for each in arrivals) if id_ in self._held]
        for queue, batch in _batches(ours):
            entries = [{"Id": str(number), "ReceiptHandle": each.handle} for number, each in enumerate(batch)]
            self._tell("delete_message_batch", queue, entries)
            self._forget(batch)

    def bury(self, arrival: Arrival, reason: str) -> None:
        """Send a copy to the dead letter queue, with a header `stamp-reason`, and delete the message when SQS has taken that.

        Raises:
            DeliveryError: the connection failed, or SQS did not take it: then the message stays as it is.
        """
        self._must_be_open()
        with self._condition:
            if _id(arrival.tag) not in self._held:
                return
        for verdict in self._line.send(dead(arrival.queue), [entry.letter(arrival, reason)]):
            if verdict is not None:
                raise verdict
        self.acknowledge([arrival])

    def close(self) -> None:
        """Give back what is held, to be given out at once. The last fetcher that has its answer closes the connection."""
        if not self._is_open:
            return
        self._is_open = False
        with self._condition:
            for each in self._fetchers:
                each.stop()
            held, self._held = list(self._held.values()), {}
        with suppress(DeliveryError):  # what cannot be given back now comes again later
            for queue, batch in _batches(held):
                self._give_back(queue, [each.received for each in batch])
        if self._at_work == 0:
            self._line.close()

    # -- for the fetchers

    def _room(self, queue: str) -> int:
        """Return how many messages may come: as many as there is room for if they are as large as we expect, or one."""
        held = [each for each in self._held.values() if each.queue == queue]
        space = self._share_bytes - sum(each.size for each in held)
        return min(self._share - len(held), self._estimates[queue].count(space)) if space > 0 else 0

    def _arrived(self, queue: str, received: Sequence[Mapping[str, Any]]) -> None:
        came = [_Held(queue, each) for each in received]
        self._estimates[queue].learn(each.size for each in came)
        # The others are here already: they were not renewed in time, and nobody else got them.
        self._waiting.extend(each for each in came if each.id not in self._held)
        self._held.update((each.id, each) for each in came)
        self._condition.notify_all()

    def _give_back(self, queue: str, received: Sequence[Mapping[str, Any]]) -> None:
        for batch in in_batches(received):
            entries = [
                {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, each in enumerate(batch)
            ]
            self._tell("change_message_visibility_batch", queue, entries)

    def _ended(self) -> None:
        with self._condition:
            self._at_work -= 1
            is_last = self._at_work == 0 and not self._is_open
        if is_last:
            self._line.close()

    # -- for ourselves

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise DeliveryError("this receiver is closed; open another one")
        self._line.must_be_open()

    def _ready(self) -> int:
        """Return how many of those that wait may be given out."""
        return min(len(self._waiting), self._prefetch - (len(self._held) - len(self._waiting)))

    def _failure(self) -> DeliveryError | None:
        return next((each.failure for each in self._fetchers if each.failure is not None), None)

    def _must_not_have_failed(self, given: Sequence[_Held]) -> None:
        failure = self._failure()
        if failure is not None and not given:
            self.close()
            raise failure

    def _extend(self) -> None:
        """From time to time, say that we are still at work. What we are not allowed to keep any longer comes again, to others or to us."""
        if monotonic() < self._extends_at:
            return
        self._extends_at = monotonic() + self._visibility / 3
        with self._condition:
            held = list(self._held.values())
        for queue, batch in _batches(held):
            entries = [
                {"Id": str(number), "ReceiptHandle": each.handle, "VisibilityTimeout": self._visibility}
                for number, each in enumerate(batch)
            ]
            refused = self._tell("change_message_visibility_batch", queue, entries)
            self._forget_waiting({each.id for number, each in enumerate(batch) if str(number) in refused})

    def _tell(self, verb: str, queue: str, entries: Sequence[Mapping[str, Any]]) -> set[str]:
        """Ask something for several messages, and return the ids of those that are not ours any more: they come again.

        Raises:
            DeliveryError: the connection failed, or we may not.
        """
        answer = self._line.call(verb, queue, Entries=entries)
        if isinstance(answer, DeliveryError):
            raise answer
        return {each["Id"] for each in answer.get("Failed", ())}

    def _forget(self, held: Iterable[_Held]) -> None:
        with self._condition:
            for each in held:
                self._held.pop(each.id, None)
            self._condition.notify_all()

    def _forget_waiting(self, lost: Collection[str]) -> None:
        """Forget what was not given out yet. Of the rest we must know, when it comes again, that somebody is at work on it here."""
        with self._condition:
            gone = [each for each in self._waiting if each.id in lost]
            self._waiting = deque(each for each in self._waiting if each.id not in lost)
            self._forget(gone)


def _id(received: Mapping[str, Any]) -> str:
    return str(received["MessageId"])


def _batches(held: Sequence[_Held]) -> Iterable[tuple[str, list[_Held]]]:
    """Yield queues and at most ten messages of each."""
    by_queue = sorted(held, key=lambda each: each.queue)
    for queue, group in groupby(by_queue, key=lambda each: each.queue):
        for batch in in_batches(group):
            yield queue, batch
