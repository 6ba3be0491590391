"""What goes wrong with Kafka, in our words."""

from __future__ import annotations

import logging
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from stamp.errors import DeliveryError, InputError, UnroutableError
from stamp.runtime.transports.kafka.address import Address

__all__ = ["LOG", "Trouble", "reason_of", "refused"]

LOG: Final = logging.getLogger("stamp.kafka")

UNROUTABLE: Final = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001 - constants of the library
)

ADVICE: Final = {
    "UNKNOWN_TOPIC_OR_PART": "there is no such topic: connect again, which makes it, or have it made",
    "_UNKNOWN_TOPIC": "there is no such topic: connect again, which makes it, or have it made",
    "MSG_SIZE_TOO_LARGE": "headers count, too; keep what is large elsewhere, or raise max.message.bytes of the topic",
    "RECORD_LIST_TOO_LARGE": "keep what is large elsewhere, or raise max.message.bytes of the topic",
    "NOT_ENOUGH_REPLICAS": "too few brokers are there to keep it: min.insync.replicas of the topic says how many it takes",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": "too few brokers are there to keep it: min.insync.replicas of the topic says how many it takes",
    "INVALID_REPLICATION_FACTOR": "a topic can have as many replicas as there are brokers; ?replication=1 is for a single one, and needs a store",
    "TOPIC_AUTHORIZATION_FAILED": "allow this user to read, write, describe and create what begins with the name of the workflow, and DescribeConfigs; or have the topics made, and say ?create=no&check=no",
    "CLUSTER_AUTHORIZATION_FAILED": "allow this user to create topics and IdempotentWrite; or have the topics made, and say ?create=no&check=no",
    "GROUP_AUTHORIZATION_FAILED": "allow this user to read the consumer groups whose names begin as ?group= says",
    "SASL_AUTHENTICATION_FAILED": "check user and password in the URL, and ?sasl=",
    "_AUTHENTICATION": "check user and password in the URL, and ?sasl=",
    "_SSL": "check ssl.ca.location, and that this is a port with TLS",
    "_UNSUPPORTED_FEATURE": "have the topics made, and say ?create=no&check=no",
    "INVALID_SESSION_TIMEOUT": "the broker allows group.min.session.timeout.ms to group.max.session.timeout.ms for ?session=",
    "OFFSET_METADATA_TOO_LARGE": "offset.metadata.max.bytes of the brokers must be 4096 at least, as it is unless told otherwise",
    "_MSG_TIMED_OUT": "the broker did not take it in time",
}  # fmt: skip


def reason_of(error: BaseException | KafkaError) -> KafkaError | None:
    """Return what librdkafka says of an error; None if it says nothing."""
    if isinstance(error, KafkaException):
        error = error.args[0] if error.args else error
    return error if isinstance(error, KafkaError) else None


class Trouble:
    """What a client of the cluster at `address` was told since it was made: librdkafka tries again for ever, and only mentions why."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._told: KafkaError | None = None
        self.is_down = False
        self.is_fatal = False

    def settings(self) -> dict[str, Any]:
        """Return what makes a client tell."""
        # Its own log says every 100 ms that nobody answers; what matters comes as an error.
        return {"error_cb": self._note, "logger": LOG, "log_level": 2}

    def _note(self, error: KafkaError) -> None:
        is_summary = error.code() == KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - a constant of the library
        self.is_down = self.is_down or is_summary
        self.is_fatal = self.is_fatal or error.fatal()
        if self._told is None or not is_summary:  # "all brokers are down" is no reason
            self._told = error

    def forget(self) -> None:
        """Take note that all is well again."""
        self._told, self.is_down = None, False

    def explain(self, error: BaseException | KafkaError | str, topic: str | None = None) -> DeliveryError:
        """Return `error` as ours, with what was told and what to do about it."""
        reason = None if isinstance(error, str) else reason_of(error)
        said = str(error) if reason is None else reason.str()
        causes = [each for each in (reason, self._told) if each is not None]
        told = f" ({self._told.str()})" if self._told is not None and self._told.str() != said else ""
        advice = next((ADVICE[each.name()] for each in causes if each.name() in ADVICE), "")
        place = f"topic {topic!r}: " if topic else ""
        kind = UnroutableError if reason is not None and reason.code() in UNROUTABLE else DeliveryError
        text = self._address.secrets.masked(f"{place}{said}{told}")
        explained = kind(f"Kafka at {self._address}: {text}" + (f"; {advice}" if advice else ""))
        if isinstance(error, BaseException):
            explained.__cause__ = self._address.secrets.cause(error)
        return explained


def refused(error: KafkaException, address: Address) -> InputError:
    """Return why librdkafka does not take settings; its text names them, without values that could be secret."""
    reason = reason_of(error)
    said = address.secrets.masked(error if reason is None else reason.str())
    return InputError(f"librdkafka refuses an option of the URL: {said}")
