"""A producer, and what the cluster says of everything that was published with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from stamp.errors import DeliveryError
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.record import Record
from stamp.runtime.transports.kafka.trouble import Trouble, refused

__all__ = ["Line"]

GLANCE: Final = 0.1
"""How long to wait for reports before looking whether anybody is there, in seconds."""
PROBE: Final = 2.0
"""How many seconds a cluster that seems to be down has for an answer."""
FULL: Final = 30.0
"""How long to wait for room in the producer's queue, in seconds."""

SETTINGS: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # as Java's: a run keeps its partition, whoever sends
    "topic.metadata.propagation.max.ms": 3_000,  # it was there when we connected
    "message.timeout.ms": 60_000,  # by far later than anybody waits: who does not get a confirm gives this producer up
}


class Line:
    """A connection to publish on. After an error it is closed and of no use: it is not known what became of what is under way.

    Raises:
        InputError: librdkafka does not know a setting.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._trouble = Trouble(address)
        try:
            self.producer = Producer({**SETTINGS, **address.client(), **self._trouble.settings()})
        except KafkaException as error:
            raise refused(error, address) from address.secrets.cause(error)
        self._verdicts: list[DeliveryError | None] = []
        self._refused: set[str] = set()
        self._is_open = True

    def open(self) -> int:
        """Return a new slot, which gets one verdict."""
        self._verdicts.append(None)
        return len(self._verdicts) - 1

    def condemn(self, slot: int, verdict: DeliveryError) -> None:
        """Note what is wrong with a slot; the first verdict stays."""
        self._verdicts[slot] = self._verdicts[slot] or verdict

    def publish(self, slot: int, topic: str, record: Record) -> None:
        """Publish `record` for `slot`, without waiting unless the producer's queue is full.

        Raises:
            DeliveryError: the cluster is gone.
        """
        self.must_be_open()
        verdicts = self._verdicts  # those of now: a late report must not be taken for one of something else

        def on_delivery(error: KafkaError | None, _: object) -> None:
            if error is not None:
                self._refused.add(topic)
                verdicts[slot] = verdicts[slot] or self._trouble.explain(error, topic)

        until = monotonic() + FULL
        while True:
            try:
                self.producer.produce(topic, record.value, record.key, headers=record.headers, on_delivery=on_delivery)
            except BufferError as error:
                self._turn(error, until)
            except KafkaException as error:
                self._refused.add(topic)
                self.condemn(slot, self._trouble.explain(error, topic))
                return
            else:
                return

    def has_topic(self, topic: str) -> bool:
        """Ask the cluster whether there is a topic.

        Raises:
            DeliveryError: the cluster is gone.
        """
        self.must_be_open()
        try:
            return self.producer.list_topics(topic, timeout=PROBE).topics[topic].error is None
        except KafkaException as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def wait(self, timeout: float) -> Sequence[DeliveryError | None]:
        """Wait for the reports of all that was published, at most `timeout` seconds, and return the verdicts in the order of the slots.

        Raises:
            DeliveryError: the cluster is gone, or a report is missing.
        """
        self.must_be_open()
        until = monotonic() + timeout
        while missing := self.producer.flush(max(0.0, min(GLANCE, until - monotonic()))):
            self._turn(f"no report of {missing} messages in time; they count as not sent: connect again", until)
        self.must_be_well()
        verdicts, self._verdicts = self._verdicts, []
        return verdicts

    def look_again(self) -> None:
        """Look at the topics that were refused, so that another try is a new one: the producer remembers what was wrong for minutes.

        Raises:
            DeliveryError: the cluster is gone.
        """
        refused, self._refused = self._refused, set()
        try:
            for topic in refused:
                self.producer.list_topics(topic, timeout=PROBE)
        except KafkaException as error:
            raise self._broken(error) from self._address.secrets.cause(error)

    def must_be_well(self) -> None:
        """Look whether the cluster has gone, if there are signs of that.

        Raises:
            DeliveryError: it has.
        """
        if self._trouble.is_fatal:
            raise self._broken("this producer cannot go on; connect again")
        if self._trouble.is_down:
            try:
                self.producer.list_topics(timeout=PROBE)
            except KafkaException as error:
                raise self._broken(error) from self._address.secrets.cause(error)
            self._trouble.forget()

    def must_be_open(self) -> None:
        """Refuse to go on after the end.

        Raises:
            DeliveryError: this line is closed.
        """
        if not self._is_open:
            raise DeliveryError(f"the connection to Kafka at {self._address} is closed; open another one")

    def explain(self, error: BaseException | KafkaError | str, topic: str | None = None) -> DeliveryError:
        """Return `error` as ours."""
        return self._trouble.explain(error, topic)

    def close(self) -> None:
        """Give up what is under way, and close."""
        if self._is_open:
            self._is_open = False
            with suppress(KafkaException):  # all that is left to do is to let it go
                self.producer.purge()
            self.producer.flush(0)

    def _turn(self, error: BaseException | str, until: float) -> None:
        """Let the producer work for a moment.

        Raises:
            DeliveryError: it is too late, or the cluster is gone; `error` is what is said then.
        """
        self.producer.poll(0)
        self.must_be_well()
        if monotonic() >= until:
            raise self._broken(error)
        if isinstance(error, BufferError):
            self.producer.poll(GLANCE)

    def _broken(self, error: BaseException | str) -> DeliveryError:
        explained = self._trouble.explain(error)
        self.close()
        return explained
