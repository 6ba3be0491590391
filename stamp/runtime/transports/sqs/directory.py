"""The directory of a workflow on SQS: one message, in a FIFO queue of its own, that holds all documents.

Who reads takes it and gives it back at once. Who writes takes it for longer, sends another one, which waits behind it, and deletes it. If somebody
dies in between there are two, and SQS need not give out both; so the first one has to hold all that was written, and who writes, or finds two,
goes on until it does. SQS forgets messages after 14 days, so whoever finds one that is a day old sends it anew.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from stamp.errors import DeliveryError
from stamp.runtime.transports.documents import DOCUMENT_TYPE
from stamp.runtime.transports.sqs.address import WAIT
from stamp.runtime.transports.sqs.line import BATCH, Line
from stamp.runtime.transports.sqs.snapshot import Dated, together, updated, written

__all__ = ["SQSDirectory"]

Received: TypeAlias = Sequence[Mapping[str, Any]]

LOCK: Final = 30
"""For how many seconds who writes takes what is there; who has died meanwhile holds others up as long."""
GLANCE: Final = 5
PATIENCE: Final = 40.0
DAY: Final = 24 * 60 * 60
GROUP: Final = "directory"
NUMBERS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
FIRST: Final = "first"
"""The id of a message without documents, which is dropped when it was sent within the last five minutes."""


class SQSDirectory:
    """What is in `queue`."""

    def __init__(self, line: Line, queue: str) -> None:
        self._line, self._queue = line, queue
        if there := self._receive(GLANCE, 1):
            self._give_back(there)
        elif self._is_empty():
            self._send({}, FIRST)

    def version(self) -> tuple[str, ...]:
        """Return the ids of the messages that are there.

        Raises:
            DeliveryError: the connection failed.
        """
        return tuple(str(each["MessageId"]) for each in self._look())

    def read(self) -> Mapping[str, str]:
        """Return the latest document of each key.

        Raises:
            DeliveryError: the connection failed.
        """
        return {key: text for key, (_, text) in _documents(self._look()).items()}

    def write(self, documents: Mapping[str, str]) -> None:
        """Put a message with all documents in the place of what is there.

        Raises:
            DeliveryError: the connection failed, or the documents are too large together.
        """
        until = time.monotonic() + PATIENCE
        known = self._replace(documents)
        while not _holds(_documents(self._peek()[:1]), known):
            if time.monotonic() >= until:
                raise self._lost("others send into it what is no directory")
            known = self._replace({})

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _replace(self, documents: Mapping[str, str]) -> Dated:
        """Put a message in the place of what SQS gives out, and return what it holds."""
        there = self._take(LOCK)
        known = updated(_documents(there), documents, time.time_ns() // 1000)
        try:
            self._send(known, uuid.uuid4().hex)
        except DeliveryError:
            self._give_back(there)
            raise
        self._tell("delete_message_batch", there)
        return known

    def _look(self) -> Received:
        """Return what is there, which is one message that is not too old, unless somebody else is at work."""
        there = self._peek()
        if len(there) == 1 and _is_young(there[0]):
            return there
        self.write({})
        return self._peek()

    def _peek(self) -> Received:
        """Return what SQS gives out, which is there for others again."""
        there = self._take(GLANCE)
        self._give_back(there)
        return there

    def _take(self, seconds: int) -> Received:
        """Take what SQS gives out for some seconds, once nobody else has it."""
        until = time.monotonic() + PATIENCE
        while not (there := self._receive(seconds, WAIT)):
            if time.monotonic() >= until:
                raise self._lost("nothing is in it, or somebody keeps it")
        return there

    def _give_back(self, there: Received) -> None:
        self._tell("change_message_visibility_batch", there, VisibilityTimeout=0)

    def _lost(self, why: str) -> DeliveryError:
        self.close()
        return DeliveryError(f"the queue {self._queue!r} is of no use: {why}; connect again, or delete it")

    def _is_empty(self) -> bool:
        """Tell whether nothing is there, nor held by somebody who writes. In the first minute SQS may not know; then `FIRST` is not sent twice."""
        return not any(map(int, self._line.attributes(self._queue, *NUMBERS).values()))

    def _receive(self, seconds: int, wait: int) -> Received:
        return self._line.receive(self._queue, BATCH, visibility=seconds, wait=wait)

    def _send(self, known: Dated, id_: str) -> None:
        kind = {"content-type": {"DataType": "String", "StringValue": DOCUMENT_TYPE}}
        entry = {"MessageBody": written(known), "MessageAttributes": kind}
        for refused in filter(
            None, self._line.send(self._queue, [{**entry, "MessageGroupId": GROUP, "MessageDeduplicationId": id_}])
        ):
            raise refused

    def _tell(self, verb: str, there: Received, **more: Any) -> None:
        """Ask something for all of `there`. Those that we have had for too long stay, which does no harm."""
        entries = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"], **more} for number, each in enumerate(there)
        ]
        answer = self._line.call(verb, self._queue, Entries=entries)
        if isinstance(answer, DeliveryError):
            raise answer


def _documents(there: Received) -> Dated:
    return together(str(each["Body"]) for each in there)


def _holds(there: Dated, known: Dated) -> bool:
    """Tell whether all documents that are known are there, or later ones in their place."""
    return all(key in there and there[key] >= dated for key, dated in known.items())


def _is_young(message: Mapping[str, Any]) -> bool:
    return time.time() - int(message["Attributes"]["SentTimestamp"]) / 1000 < DAY
