"""Deletes topics that are queues, when nothing is lost by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stamp.runtime.topology import Topology
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.progress import Mark, undone
from stamp.runtime.transports.kafka.topics import topics
from stamp.runtime.transports.kafka.trouble import reason_of
from stamp.runtime.transports.removal import consumed, filled

__all__ = ["remove"]

# What is answered when there is no such group, and by brokers that tell nothing about groups.
NO_MEMBERS: Final = frozenset(
    {KafkaError.GROUP_ID_NOT_FOUND, KafkaError._UNSUPPORTED_FEATURE}  # noqa: SLF001 - a constant of the library
)


def remove(address: Address, topology: Topology, queue: str, *, discard: bool) -> int:
    """Delete the topic `queue`, unless its group has members or messages in it are not done; return how many these are.

    Raises:
        DeliveryError: it may not go, or the cluster does not let us. InputError: librdkafka does not know a setting.
    """
    with topics(address) as found:
        partitions = found.partitions(queue)
        if not partitions:
            return 0
        group = f"{address.group}.{queue}"
        if _has_members(found.admin, group, address.timeout):
            raise consumed(topology, queue)
        settings = {**address.client(), **found.trouble.settings(), "group.id": group, "enable.auto.commit": False}
        waiting = _waiting(settings, [TopicPartition(queue, number) for number in partitions], address.timeout)
        if waiting and not discard:
            raise filled(topology, queue, waiting)
        found.delete(queue)
        return waiting


def _has_members(admin: AdminClient, group: str, timeout: float) -> bool:
    try:
        description: Any = admin.describe_consumer_groups([group], request_timeout=timeout)[group].result()
    except KafkaException as error:
        reason = reason_of(error)
        if reason is None or reason.code() not in NO_MEMBERS:
            raise
        return False
    return bool(description.members)


def _waiting(settings: Mapping[str, Any], partitions: Sequence[TopicPartition], timeout: float) -> int:
    """Return how many messages a group has not done yet."""
    waiting = 0
    with closing(Consumer(dict(settings))) as consumer:
        for each in consumer.committed(list(partitions), timeout=timeout):
            first, end = consumer.get_watermark_offsets(each, timeout=timeout)
            is_known = each.offset >= first  # what was committed may have been deleted for its age
            waiting += undone(Mark(each.offset, each.metadata or "") if is_known else Mark(first), end)
    return waiting
