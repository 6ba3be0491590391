"""Calls to SQS, and what goes wrong with them, in our words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from botocore.exceptions import ClientError

from stamp.errors import DeliveryError, UnroutableError
from stamp.runtime.transports.sqs.address import WAIT, Address
from stamp.runtime.transports.sqs.names import name_of

__all__ = ["BATCH", "Line", "in_batches"]

BATCH: Final = 10
DELIVERIES: Final = 100
"""After how many times a message that nobody deletes goes to the dead letter queue."""
MISSING: Final = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})

PROPERTIES: Final = {
    "FifoQueue": "true",
    "MaximumMessageSize": str(2**20),
    "MessageRetentionPeriod": str(14 * 24 * 60 * 60),  # the longest that SQS has
    "DeduplicationScope": "messageGroup",  # with the next one it is thousands of messages a second, and not 300 calls
    "FifoThroughputLimit": "perMessageGroupId",
}

ADVICE: Final = {
    "AccessDenied": "allow sqs:GetQueueUrl, CreateQueue, GetQueueAttributes, SendMessage, ReceiveMessage, DeleteMessage and ChangeMessageVisibility; to remove queues DeleteQueue",
    "InvalidClientTokenId": "check the key in the URL or in the environment",
    "SignatureDoesNotMatch": "check the secret in the URL or in the environment",
    "ExpiredToken": "log in again",
    "QueueDoesNotExist": "connect again, which makes it",
    "QueueDeletedRecently": "a queue of this name was deleted; Amazon lets it be made again after a minute",
    "QueueNameExists": "a queue of this name has other properties: delete it when nobody needs it, or use ?prefix=",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write sqs://key:secret@region",
}  # fmt: skip
ALIASES: Final = {
    "AccessDeniedException": "AccessDenied",
    "QueueAlreadyExists": "QueueNameExists",
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
}


class Line:
    """A client, and the queues that it knows by their addresses. After an error of the connection it is closed and of no use."""

    def __init__(self, address: Address, *, threads: int = 1) -> None:
        self._address = address
        self._client = address.client(threads)
        self._urls: dict[str, str] = {}
        self._is_open = True

    def declare(self, queue: str, *letters: str) -> None:
        """Look where a queue is, or make it. What nobody deletes there goes to the queue `letters`, if there is such a one.

        Raises:
            DeliveryError: nobody answers, or refuses us. InputError: SQS has no such name of a queue.
        """
        if not self.knows(queue):
            self._urls[queue] = self._make(queue, letters)

    def knows(self, queue: str) -> bool:
        """Tell whether there is a queue, which is asked only as long as there was none.

        Raises:
            DeliveryError: the connection failed, or refuses us. InputError: SQS has no such name of a queue.
        """
        if queue not in self._urls and (url := self._find(queue)) is not None:
            self._urls[queue] = url
        return queue in self._urls

    def send(self, queue: str, entries: Sequence[Mapping[str, Any]]) -> Sequence[DeliveryError | None]:
        """Send at most ten messages, and return what is wrong with each.

        Raises:
            DeliveryError: the connection failed.
        """
        numbered = [{**entry, "Id": str(number)} for number, entry in enumerate(entries)]
        answer = self.call("send_message_batch", queue, Entries=numbered)
        if isinstance(answer, DeliveryError):
            return [answer] * len(entries)
        failed = {
            int(each["Id"]): self._refusal(each["Code"], each.get("Message", ""), queue)
            for each in answer.get("Failed", ())
        }
        return [failed.get(number) for number in range(len(entries))]

    def attributes(self, queue: str, *names: str) -> Mapping[str, str]:
        """Return properties of a queue.

        Raises:
            DeliveryError: the connection failed, or we may not.
        """
        answer = self.call("get_queue_attributes", queue, AttributeNames=list(names))
        if isinstance(answer, DeliveryError):
            self.close()
            raise answer
        told: Mapping[str, str] = answer["Attributes"]
        return told

    def call(self, verb: str, queue: str, **arguments: Any) -> Any:
        """Ask something of a queue, and return the answer, or as a value why it was refused.

        Raises:
            DeliveryError: the connection failed, or this line is closed.
        """
        return self._call(verb, queue, QueueUrl=self._urls[queue], **arguments)

    def receive(
        self, queue: str, count: int, *, visibility: int | None = None, wait: int = WAIT
    ) -> Sequence[Mapping[str, Any]]:
        """Return at most `count` messages, waiting a moment for the first. Nobody else gets them for `visibility` seconds.

        Raises:
            DeliveryError: the connection failed, or we may not.
        """
        answer = self.call(
            "receive_message",
            queue,
            MaxNumberOfMessages=min(count, BATCH),
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._address.visibility if visibility is None else visibility,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        if isinstance(answer, DeliveryError):
            raise answer
        found: Sequence[Mapping[str, Any]] = answer.get("Messages", ())
        return found

    def must_be_open(self) -> None:
        """Refuse to go on after the end.

        Raises:
            DeliveryError: this line is closed.
        """
        if not self._is_open:
            raise DeliveryError(f"the connection to {self._address} is closed; open another one")

    def close(self) -> None:
        """Close the connections."""
        if self._is_open:
            self._is_open = False
            self._client.close()

    def _call(self, verb: str, queue: str, **arguments: Any) -> Any:
        self.must_be_open()
        try:
            return getattr(self._client, verb)(**arguments)
        except ClientError as error:
            told = error.response.get("Error", {})
            refusal = self._refusal(str(told.get("Code", "")), str(told.get("Message", "")), queue)
            refusal.__cause__ = self._address.secrets.cause(error)
            return refusal
        except Exception as error:  # noqa: BLE001 - boto raises many kinds, also of answers that it cannot read
            self.close()
            refusal = self._refusal(type(error).__name__, str(error), queue)
            raise refusal from self._address.secrets.cause(error)

    def _find(self, queue: str) -> str | None:
        answer = self._call("get_queue_url", queue, QueueName=self._name(queue))
        if isinstance(answer, UnroutableError):
            return None
        return self._must_have(answer)

    def _make(self, queue: str, letters: Iterable[str]) -> str:
        properties = {**PROPERTIES, "VisibilityTimeout": str(self._address.visibility)}
        for each in letters:
            policy = {
                "deadLetterTargetArn": self.attributes(each, "QueueArn")["QueueArn"],
                "maxReceiveCount": DELIVERIES,
            }
            properties["RedrivePolicy"] = json.dumps(policy)
        return self._must_have(self._call("create_queue", queue, QueueName=self._name(queue), Attributes=properties))

    def _name(self, queue: str) -> str:
        return name_of(queue, self._address.prefix)

    def _must_have(self, answer: Any) -> str:
        if isinstance(answer, DeliveryError):
            self.close()
            raise answer
        return str(answer["QueueUrl"])

    def _refusal(self, code: str, text: str, queue: str) -> DeliveryError:
        advice = ADVICE.get(ALIASES.get(code, code), "")
        kind = UnroutableError if code in MISSING else DeliveryError
        said = f"{self._address}: queue {queue!r}: {self._address.secrets.masked(text or code)}"
        return kind(said + (f"; {advice}" if advice else ""))


def in_batches(items: Iterable[Any]) -> Iterable[list[Any]]:
    """Yield lists of at most ten."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
