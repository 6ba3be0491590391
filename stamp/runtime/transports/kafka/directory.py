"""The directory of a workflow on Kafka: a compacted topic with one partition, where a record stays until a later one has its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Polled

from stamp.errors import DeliveryError
from stamp.runtime.transports.documents import directory_name
from stamp.runtime.transports.kafka.address import Address
from stamp.runtime.transports.kafka.line import Line
from stamp.runtime.transports.kafka.record import document, documented
from stamp.runtime.transports.kafka.topics import declare_directory
from stamp.runtime.transports.kafka.trouble import Trouble, reason_of, refused

__all__ = ["KafkaDirectory"]

SETTINGS: Final = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # who reads knows that there is something to read
}
TIMED_OUT: Final = KafkaError._TIMED_OUT  # noqa: SLF001 - a constant of the library
END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the same
LOOK: Final = 0.5
"""How long to wait for one answer before looking whether anybody is there, in seconds."""
ANSWER_TIMEOUT: Final = 30.0


class KafkaDirectory:
    """The documents of `workflow`, read on a connection of its own. There is one to write, too, from the first time on: few do."""

    def __init__(self, address: Address, workflow: str) -> None:
        self._address, self._topic = address, directory_name(workflow)
        declare_directory(address, self._topic)
        self._trouble = Trouble(address)
        settings = {**SETTINGS, "group.id": f"{address.group}.{self._topic}"}
        try:
            self._consumer = Consumer({**settings, **address.client(), **self._trouble.settings()})
        except KafkaException as error:
            raise refused(error, address) from address.secrets.cause(error)
        self._line: Line | None = None
        self._is_open = True

    def version(self) -> int:
        """Return the offset that the next record will have.

        Raises:
            DeliveryError: the cluster is gone, or the topic was deleted.
        """
        with self._using():
            return self._end()

    def read(self) -> Mapping[str, str]:
        """Read the topic from its first record to what is the last one now.

        Raises:
            DeliveryError: as for `version`.
        """
        with self._using():
            return dict(self._documents(self._end()))

    def write(self, documents: Mapping[str, str]) -> None:
        """Publish a record for each document, and wait until the cluster has them.

        Raises:
            DeliveryError: as for `version`, or the cluster refuses a record.
        """
        with self._using():
            line = self._line = self._line or Line(self._address)
            for key, text in documents.items():
                line.publish(line.open(), self._topic, document(key, text))
            for verdict in filter(None, line.wait(ANSWER_TIMEOUT)):
                raise verdict

    def close(self) -> None:
        """Close the connection."""
        if self._is_open:
            self._is_open = False
            self._consumer.close()
            if self._line is not None:
                self._line.close()

    def _end(self) -> int:
        until = monotonic() + self._address.timeout
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=LOOK)[1]
            except KafkaException as error:
                self._consumer.poll(0)  # lets the client tell what it has heard
                reason = reason_of(error)
                is_late = reason is None or reason.code() != TIMED_OUT or monotonic() >= until
                if is_late or self._trouble.is_down:
                    raise

    def _documents(self, end: int) -> Iterator[tuple[str, str]]:
        """Yield keys and documents in their order; the last one of a key counts. Offsets have gaps, where a record had to go."""
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
        offset = 0
        while offset < end:
            polled = self._next()
            error, position = polled.error(), polled.offset() or 0
            if error is None:
                offset = position + 1
                yield from documented(polled)
            elif error.code() == END:
                offset = position
            else:
                raise self._trouble.explain(error, self._topic)
        self._consumer.unassign()

    def _next(self) -> Polled:
        until = monotonic() + self._address.timeout
        while (polled := self._consumer.poll(LOOK)) is None:
            if self._trouble.is_down or monotonic() >= until:
                raise self._trouble.explain("no answer in time; connect again", self._topic)
        return polled

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Do something with the cluster; what goes wrong is the end of this directory."""
        if not self._is_open:
            raise DeliveryError(f"the directory {self._topic!r} at {self._address} is closed; open another one")
        try:
            self._consumer.poll(0)
            self._trouble.forget()  # an idle connection may have been closed, which is nothing
            yield
        except KafkaException as error:
            self.close()
            raise self._trouble.explain(error, self._topic) from self._address.secrets.cause(error)
        except DeliveryError:
            self.close()
            raise
