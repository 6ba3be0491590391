"""What can be wrong with a Kafka cluster, and with the topics of a workflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stamp.errors import StampError
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, warning
from stamp.runtime.topology import Topology
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.topics import declare

__all__ = ["examine"]


def examine(url: str, topology: Topology | None) -> Iterator[Diagnosis]:
    """Look at a cluster, and at the topics of a workflow; none is made."""
    address = Address.parse(url)
    try:
        known = AdminClient(dict(address.client())).list_topics(timeout=address.timeout)
    except KafkaException as error:
        yield problem(
            "connection", address.secrets.masked(error.args[0]), "see that it runs, and check hosts, user and password"
        )
        return
    brokers = len(known.brokers)
    yield ok("connection", f"{brokers:,} brokers")
    advice = f"start more brokers, or say ?replication={brokers}: topics are made with {address.replication} replicas"
    yield judged("brokers", f"{brokers:,}", {State.PROBLEM: brokers < address.replication}, advice)
    advice = "say ?replication=3&insync=2: Kafka does not wait for its disks, and a single broker loses its last messages with its machine"
    yield judged("insync", f"{address.insync:,}", {State.WARNING: address.insync < 2}, advice)
    for queue in () if topology is None else topology.queues:
        yield _topic(address, queue.name, is_there=queue.name in known.topics)


def _topic(address: Address, queue: str, *, is_there: bool) -> Diagnosis:
    if not is_there:
        return warning(
            queue,
            "no such topic yet",
            "whoever is the first to publish or to consume makes it, unless ?create=no says otherwise",
        )
    try:
        declare(replace(address, create=False), [queue])
    except StampError as error:
        return problem(queue, str(error), "")
    return ok(queue, "a topic that keeps what it confirms")
