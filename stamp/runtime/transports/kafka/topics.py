"""Topics that are queues: made when they are missing, and looked at whether they keep what they confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.trouble import Trouble, reason_of, refused
from stamp.runtime.transports.letters import dead

__all__ = ["Topics", "declare", "declare_directory", "topics"]

MISSING: Final = KafkaError.UNKNOWN_TOPIC_OR_PART
THERE: Final = KafkaError.TOPIC_ALREADY_EXISTS
ATTEMPT: Final = 1.0
GONE: Final = 2.0
"""How long to wait for one answer, and for a cluster that seems to be down, in seconds."""
PAUSE: Final = 0.05
DELETE: Final = "delete"
COMPACT: Final = "compact"
NEVER: Final = -1
DAY: Final = 24 * 60 * 60 * 1000


class _Plan(NamedTuple):
    """What a topic has to be; `retention` is in milliseconds, -1 if nothing is deleted for its age."""

    partitions: int
    policy: str
    retention: int


def declare(address: Address, queues: Iterable[str]) -> None:
    """See to it that there is a topic for each of `queues` and for its dead letters, which stay until somebody deletes them.

    Raises:
        DeliveryError: nobody answers, a topic cannot be made, or does not keep what it confirms. InputError: librdkafka does not know a setting.
    """
    plans: dict[str, _Plan] = {}
    for queue in queues:
        plans[queue] = _Plan(address.partitions, DELETE, address.retention * DAY)
        plans[dead(queue)] = _Plan(address.partitions, DELETE, NEVER)
    with topics(address) as found:
        found.declare(plans)


def declare_directory(address: Address, topic: str) -> None:
    """See to it that there is a topic that keeps the last record of each key, in one partition, so that there is one order.

    Raises:
        DeliveryError: as for `declare`, or it has more partitions. InputError: the same.
    """
    with topics(address) as found:
        found.declare({topic: _Plan(1, COMPACT, NEVER)})
        if (count := len(found.partitions(topic))) > 1:
            raise found.trouble.explain(f"expected one partition, got {count}; have it made again", topic)


@contextmanager
def topics(address: Address) -> Iterator[Topics]:
    """Connect to the topics of a cluster.

    Raises:
        DeliveryError: nobody answers, or refuses what is done with them. InputError: librdkafka does not know a setting.
    """
    trouble = Trouble(address)
    try:
        admin = AdminClient({**address.client(), **trouble.settings()})
    except KafkaException as error:
        raise refused(error, address) from address.secrets.cause(error)
    try:
        yield Topics(address, admin, trouble)
    except KafkaException as error:
        raise trouble.explain(error) from address.secrets.cause(error)


class Topics:
    """The topics of a cluster, as `admin` sees them."""

    def __init__(self, address: Address, admin: AdminClient, trouble: Trouble) -> None:
        self.admin, self.trouble = admin, trouble
        self._address = address
        self._until = monotonic() + address.timeout
        self._begun = monotonic()

    def declare(self, plans: Mapping[str, _Plan]) -> None:
        """Make what is missing, and look at all of them."""
        missing = [topic for topic in plans if not self.partitions(topic)]
        if missing and not self._address.create:
            raise self.trouble.explain(
                f"there is no {_described(plans, missing)}; have it made, or leave ?create=no out"
            )
        if missing:
            self._create({topic: plans[topic] for topic in missing})
        if self._address.check:
            self._check(plans)

    def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        try:
            self.admin.delete_topics([topic], request_timeout=self._address.timeout)[topic].result()
        except KafkaException as error:
            reason = reason_of(error)
            if reason is None or reason.code() != MISSING:  # somebody else may have been faster
                raise self.trouble.explain(error, topic) from self._address.secrets.cause(error)
        self._wait(topic, "it was deleted, but brokers still know it", is_done=lambda: not self.partitions(topic))

    def partitions(self, topic: str) -> Mapping[int, int]:
        """Return how many brokers have a copy of each partition of `topic`, by its number; nothing if there is no such topic."""
        found = self._look(topic)
        if found.error is None:
            return {number: len(each.replicas) for number, each in found.partitions.items()}
        if found.error.code() == MISSING:
            return {}
        raise self.trouble.explain(found.error, topic)

    def _look(self, topic: str) -> Any:
        while True:
            try:
                return self.admin.list_topics(topic, timeout=ATTEMPT).topics[topic]
            except KafkaException as error:
                self.admin.poll(0)
                now = monotonic()
                if now >= self._until or (self.trouble.is_down and now >= self._begun + GONE):
                    raise self.trouble.explain(error) from self._address.secrets.cause(error)

    def _create(self, plans: Mapping[str, _Plan]) -> None:
        made = self.admin.create_topics(
            [
                NewTopic(topic, plan.partitions, self._address.replication, config=self._config(plan))
                for topic, plan in plans.items()
            ],
            request_timeout=self._address.timeout,
        )
        for topic, future in made.items():
            try:
                future.result()
            except KafkaException as error:
                reason = reason_of(error)
                if reason is None or reason.code() != THERE:  # somebody else may have been faster
                    said = error if reason is None else reason.str()
                    text = f"it cannot be made: {said}; have it made, and say ?create=no"
                    raise self.trouble.explain(text, topic) from self._address.secrets.cause(error)
        for topic in plans:
            self._wait(topic, "it was made, but brokers do not know it yet", is_done=lambda: self.partitions(topic))  # noqa: B023 - it is called in this turn

    def _wait(self, topic: str, text: str, *, is_done: Callable[[], object]) -> None:
        while not is_done():
            if monotonic() >= self._until:
                raise self.trouble.explain(f"{text}; connect again", topic)
            sleep(PAUSE)

    def _config(self, plan: _Plan) -> dict[str, str]:
        """Return the properties of a new topic."""
        return {
            "cleanup.policy": plan.policy,
            "retention.ms": str(plan.retention),
            "min.insync.replicas": str(self._address.insync),
            "unclean.leader.election.enable": "false",
        }

    def _check(self, plans: Mapping[str, _Plan]) -> None:
        """Hold topics to what is promised of them.

        Raises:
            DeliveryError: one would lose messages that it confirmed.
        """
        resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in plans]
        told = self.admin.describe_configs(resources, request_timeout=self._address.timeout)
        for resource, future in told.items():
            topic = resource.name
            try:
                config = {name: entry.value for name, entry in future.result().items()}
            except KafkaException as error:
                raise self.trouble.explain(error, topic) from self._address.secrets.cause(error)
            wrong = self._wrong(topic, plans[topic], config)
            if wrong:
                raise self.trouble.explain(
                    f"it would lose what it confirmed: expected {' and '.join(wrong)}; change that, or say in the URL what it is "
                    "(?replication=, ?insync=), or ?check=no",
                    topic,
                )

    def _wrong(self, topic: str, plan: _Plan, config: Mapping[str, str | None]) -> list[str]:
        """Return what should be otherwise. What a cluster does not tell, it need not have: not all that speak Kafka's protocol are Kafka."""
        replicas = min(self.partitions(topic).values(), default=0)
        insync = config.get("min.insync.replicas") or "0"
        expectations = {
            f"{self._address.replication} replicas, not {replicas}": replicas >= self._address.replication,
            f"min.insync.replicas={self._address.insync}, not {insync}": int(insync) >= self._address.insync,
            f"cleanup.policy={plan.policy}": config.get("cleanup.policy") in {None, plan.policy},
            "unclean.leader.election.enable=false": config.get("unclean.leader.election.enable") in {None, "false"},
        }
        return [text for text, holds in expectations.items() if not holds]


def _described(plans: Mapping[str, _Plan], topics: Iterable[str]) -> str:
    """Name topics that somebody else has to make, with what is special about them."""
    special = {topic: " (one partition, cleanup.policy=compact)" for topic in topics if plans[topic].policy == COMPACT}
    return f"topic {', '.join(topic + special.get(topic, '') for topic in topics)}"
