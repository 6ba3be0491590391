"""Topics that are queues: made when they are missing, and looked at whether they keep what they confirm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic, sleep
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.trouble import Trouble, reason_of, refused
from stamp.runtime.transports.letters import dead

__all__ = ["declare"]

MISSING: Final = KafkaError.UNKNOWN_TOPIC_OR_PART
THERE: Final = KafkaError.TOPIC_ALREADY_EXISTS
ATTEMPT: Final = 1.0
GONE: Final = 2.0
"""How long to wait for one answer, and for a cluster that seems to be down, in seconds."""
PAUSE: Final = 0.05
DAY: Final = 24 * 60 * 60 * 1000


def declare(address: Address, queues: Iterable[str]) -> None:
    """See to it that there is a topic for each of `queues` and for its dead letters.

    Raises:
        DeliveryError: nobody answers, a topic cannot be made, or does not keep what it confirms. InputError: librdkafka does not know a setting.
    """
    topics = [topic for queue in queues for topic in (queue, dead(queue))]
    trouble = Trouble(address)
    try:
        admin = AdminClient({**address.client(), **trouble.settings()})
    except KafkaException as error:
        raise refused(error) from error
    try:
        _Topics(address, admin, trouble).declare(topics)
    except KafkaException as error:
        raise trouble.explain(error) from error


class _Topics:
    """The topics of a cluster, as `admin` sees them."""

    def __init__(self, address: Address, admin: AdminClient, trouble: Trouble) -> None:
        self._address, self._admin, self._trouble = address, admin, trouble
        self._until = monotonic() + address.timeout
        self._begun = monotonic()

    def declare(self, topics: Sequence[str]) -> None:
        missing = [topic for topic in topics if self._replicas(topic) is None]
        if missing and not self._address.create:
            raise self._trouble.explain(
                f"there is no topic {', '.join(missing)}; have it made, or leave ?create=no out"
            )
        if missing:
            self._create(missing)
        if self._address.check:
            self._check(topics)

    def _replicas(self, topic: str) -> int | None:
        """Return how many brokers have a copy of each partition of `topic`; None if there is no such topic."""
        found = self._look(topic)
        if found.error is None and found.partitions:
            return min(len(each.replicas) for each in found.partitions.values())
        if found.error is None or found.error.code() == MISSING:
            return None
        raise self._trouble.explain(found.error, topic)

    def _look(self, topic: str) -> Any:
        while True:
            try:
                return self._admin.list_topics(topic, timeout=ATTEMPT).topics[topic]
            except KafkaException as error:
                self._admin.poll(0)
                now = monotonic()
                if now >= self._until or (self._trouble.is_down and now >= self._begun + GONE):
                    raise self._trouble.explain(error) from error

    def _create(self, topics: Sequence[str]) -> None:
        made = self._admin.create_topics(
            [NewTopic(topic, self._address.partitions, self._address.replication, config=self._config(topic)) for topic in topics],
            request_timeout=self._address.timeout,
        )  # fmt: skip
        for topic, future in made.items():
            try:
                future.result()
            except KafkaException as error:
                reason = reason_of(error)
                if reason is None or reason.code() != THERE:  # somebody else may have been faster
                    said = error if reason is None else reason.str()
                    text = f"it cannot be made: {said}; have it made, and say ?create=no"
                    raise self._trouble.explain(text, topic) from error
        for topic in topics:
            while self._replicas(topic) is None:
                if monotonic() >= self._until:
                    raise self._trouble.explain("it was made, but brokers do not know it yet; connect again", topic)
                sleep(PAUSE)

    def _config(self, topic: str) -> dict[str, str]:
        """Return the properties of a new topic. Dead letters stay until somebody deletes them."""
        days = -1 if topic.endswith(dead("")) else self._address.retention * DAY
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(days),
            "min.insync.replicas": str(self._address.insync),
            "unclean.leader.election.enable": "false",
        }

    def _check(self, topics: Sequence[str]) -> None:
        """Hold topics to what is promised of them.

        Raises:
            DeliveryError: one would lose messages that it confirmed.
        """
        resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        told = self._admin.describe_configs(resources, request_timeout=self._address.timeout)
        for resource, future in told.items():
            topic = resource.name
            try:
                config = {name: entry.value for name, entry in future.result().items()}
            except KafkaException as error:
                raise self._trouble.explain(error, topic) from error
            wrong = self._wrong(self._replicas(topic) or 0, config)
            if wrong:
                raise self._trouble.explain(
                    f"it would lose what it confirmed: expected {' and '.join(wrong)}; change that, or say in the URL what it is "
                    "(?replication=, ?insync=), or ?check=no",
                    topic,
                )

    def _wrong(self, replicas: int, config: Mapping[str, str | None]) -> list[str]:
        """Return what should be otherwise. What a cluster does not tell, it need not have: not all that speak Kafka's protocol are Kafka."""
        insync = config.get("min.insync.replicas") or "0"
        expectations = {
            f"{self._address.replication} replicas, not {replicas}": replicas >= self._address.replication,
            f"min.insync.replicas={self._address.insync}, not {insync}": int(insync) >= self._address.insync,
            "cleanup.policy=delete": config.get("cleanup.policy") in {None, "delete"},
            "unclean.leader.election.enable=false": config.get("unclean.leader.election.enable") in {None, "false"},
        }
        return [text for text, holds in expectations.items() if not holds]
