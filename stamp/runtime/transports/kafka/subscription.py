"""Consumes one topic as a member of its consumer group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Polled

from stamp.errors import DeliveryError
from stamp.runtime.transports.estimate import Estimate
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.progress import Mark, Progress
from stamp.runtime.transports.kafka.trouble import LOG, Trouble, reason_of, refused

__all__ = ["Subscription", "Tag"]

HEARTBEAT: Final = 3.0
"""How often a member asks whether others come or go, in seconds."""
PROBE: Final = 2.0
"""How many seconds a cluster that seems to be down has for an answer."""

SETTINGS: Final = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",  # a message that was sent before anybody listened is one, too
    # Who comes or goes takes only the partitions that move away from others, so that little comes again.
    "partition.assignment.strategy": "cooperative-sticky",
    "fetch.wait.max.ms": 100,
}

QUEUED: Final = 16 * 2**20
FETCHED: Final = 4 * 2**20
"""Bytes that librdkafka may have in store of a topic, and may ask a broker for at once."""
LARGEST: Final = 2**20
"""Bytes of a record that brokers take, unless told otherwise."""

# What a commit is answered with when the partition is, or will be, somebody else's.
MOVED: Final = frozenset(
    {
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001 - constants of the library
    }
)
# What is said of a topic or a group that cannot be consumed, and does not change by waiting.
HOPELESS: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.INVALID_SESSION_TIMEOUT,
    }
)


class Tag(NamedTuple):
    """A record that was given out, and the assignment that it came with."""

    progress: Progress
    polled: Polled


class Subscription:
    """The topic `queue`, consumed. What comes more than `limit` at a time, or than `space` bytes, waits in the cluster.

    Raises:
        InputError: librdkafka does not know a setting.
    """

    def __init__(self, address: Address, queue: str, *, limit: int, space: int) -> None:
        self.queue = queue
        self._address, self._limit, self._space = address, limit, space
        self._estimate = Estimate(LARGEST)
        self._trouble = Trouble(address)
        self._partitions: dict[int, Progress] = {}
        self._uncommitted: set[int] = set()
        self._is_paused: bool | None = None
        self._is_broken = False
        self._failure: DeliveryError | None = None
        settings = {
            **SETTINGS,
            "queued.max.messages.kbytes": max(1, min(QUEUED, space) // 2**10),
            "fetch.max.bytes": max(LARGEST, min(FETCHED, space)),
            "group.id": f"{address.group}.{queue}",
            "session.timeout.ms": round(address.session * 1000),
            # A member that is slow to hear of others has lost its partitions before it could give them away.
            "heartbeat.interval.ms": max(1, round(min(HEARTBEAT, address.session / 8) * 1000)),
        }
        try:
            self._consumer = Consumer({**settings, **address.client(), **self._trouble.settings()})
        except KafkaException as error:
            raise refused(error, address) from address.secrets.cause(error)
        self._consumer.subscribe([queue], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def poll(self, waiting: int, timeout: float) -> Sequence[Tag]:
        """Return new records, when `waiting` of this topic are not given out yet, and let the group know that we are there.

        Raises:
            DeliveryError: the cluster is gone, or does not let us.
        """
        self._commit()
        room = self._space - self.size
        self._pause(waiting >= self._limit or room <= 0)
        polled = self._consume(max(1, min(self._limit - waiting, self._estimate.count(room))), timeout)
        self._estimate.learn(map(len, polled))
        return [tag for tag in map(self._begun, polled) if tag is not None]

    def _consume(self, count: int, timeout: float) -> Sequence[Polled]:
        try:
            first = self._consumer.poll(timeout)
            # That one waits until it has got all of them.
            polled = [] if first is None else [first, *self._consumer.consume(count - 1, 0)]
            if self._trouble.is_down:
                self._probe()
        except (KafkaException, RuntimeError) as error:
            self._is_broken = True
            raise self._trouble.explain(error) from self._address.secrets.cause(error)
        if self._failure is not None:
            self._is_broken = True
            raise self._failure
        records = []
        for each in polled:
            told = each.error()
            if told is None:
                records.append(each)
            elif told.fatal() or told.code() in HOPELESS:
                raise self._trouble.explain(told, self.queue)
            else:
                LOG.info("%s: %s", self.queue, told.str())
        return records

    def holds(self, tag: Tag) -> bool:
        """Tell whether a record is ours, and not done: with another assignment it comes again, to whoever has it then."""
        ours = self._partitions.get(_partition(tag.polled)) is tag.progress
        return ours and _offset(tag.polled) in tag.progress

    def acknowledge(self, tags: Iterable[Tag]) -> None:
        """Note that records are done, and tell the cluster.

        Raises:
            DeliveryError: the cluster is gone. What was not told before comes again.
        """
        for tag in filter(self.holds, tags):
            tag.progress.finish(_offset(tag.polled))
            self._uncommitted.add(_partition(tag.polled))
        self._commit()

    @property
    def size(self) -> int:
        """Bytes of the records that were polled and are not done."""
        return sum(each.size for each in self._partitions.values())

    @property
    def is_out(self) -> int:
        """How many records were polled and are not done."""
        return sum(map(len, self._partitions.values()))

    def close(self) -> None:
        """Leave the group; what is not done comes again, to others."""
        try:
            self._consumer.close()
        except (KafkaException, RuntimeError) as error:  # it has gone already, one way or the other
            LOG.info("%s: %s", self.queue, error)

    # -- partitions come and go

    def _assigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Take partitions over, where those before us left off; called from within `consume`."""
        try:
            committed = consumer.committed(list(partitions), timeout=self._address.timeout)
        except KafkaException as error:
            self._failure = self._trouble.explain(error)  # raised from here, it would come out of the library broken
            return
        for each in committed:
            if each.error is not None:
                self._failure = self._trouble.explain(each.error, self.queue)
                return
            mark = Mark(each.offset, each.metadata or "") if each.offset >= 0 else None
            self._partitions[each.partition] = Progress(mark)
        self._is_paused = None  # some are, and these are not

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Give partitions away, and tell what the group would not hear before."""
        if not self._is_broken:
            try:
                self._commit()
            except DeliveryError as error:
                LOG.info("%s: %s", self.queue, error)
        self._forget(partitions)

    def _lost(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        LOG.warning(
            "%s: not heard of for too long, others work on what came to us and was not acknowledged", self.queue
        )
        self._forget(partitions)

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        for each in partitions:
            self._partitions.pop(each.partition, None)
            self._uncommitted.discard(each.partition)

    def _pause(self, wanted: bool) -> None:  # noqa: FBT001 - a state, not an option
        if wanted != self._is_paused:
            turn = self._consumer.pause if wanted else self._consumer.resume
            turn(self._consumer.assignment())
            self._is_paused = wanted

    def _begun(self, polled: Polled) -> Tag | None:
        """Return a record that is to be given out; None if it was done before, or its partition has just been taken away."""
        progress = self._partitions.get(_partition(polled))
        if progress is None:
            return None
        if progress.begin(_offset(polled), len(polled)):
            return Tag(progress, polled)
        self._uncommitted.add(_partition(polled))
        return None

    # -- telling the cluster

    def _commit(self) -> None:
        marks = {
            number: mark for number in self._uncommitted if (mark := self._partitions[number].uncommitted) is not None
        }
        if marks:
            offsets = [TopicPartition(self.queue, number, mark.offset, mark.text) for number, mark in marks.items()]
            try:
                answers: Any = self._consumer.commit(offsets=offsets, asynchronous=False)
                failed = [each.error for each in answers if each.error is not None]
            except (KafkaException, RuntimeError) as error:
                failed = [reason_of(error) or error]
            for each in failed:
                if not (isinstance(each, KafkaError) and each.code() in MOVED):
                    self._is_broken = True
                    raise self._trouble.explain(each)
            if failed:
                return  # it is told again, at the latest when they go away
            for number, mark in marks.items():
                self._partitions[number].commit(mark)
        self._uncommitted.clear()

    def _probe(self) -> None:
        self._consumer.list_topics(self.queue, timeout=PROBE)
        self._trouble.forget()


def _partition(polled: Polled) -> int:
    number = polled.partition()
    assert number is not None  # of what came from a topic
    return number


def _offset(polled: Polled) -> int:
    offset = polled.offset()
    assert offset is not None  # the same
    return offset
