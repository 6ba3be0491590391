"""The directory of a workflow on RabbitMQ: a stream, whose entries stay when they are read. The last entry of a key counts.

Where a stream ends cannot be asked: the count that RabbitMQ tells of a stream is up to five seconds old. But a consumer can ask for the last
entries, and they come at once if there are any. So a new stream gets an entry without a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import amqp

from stamp.errors import DeliveryError
from stamp.runtime.transports.documents import DOCUMENT_TYPE, directory_name
from stamp.runtime.transports.rabbitmq.confirms import PERSISTENT, Confirms
from stamp.runtime.transports.rabbitmq.heart import Heart
from stamp.runtime.transports.rabbitmq.layout import declare_stream
from stamp.runtime.transports.rabbitmq.link import Link
from stamp.runtime.transports.rabbitmq.properties import HEADERS, number

__all__ = ["RabbitDirectory"]

KEY: Final = "stamp-key"
OFFSET: Final = "x-stream-offset"
PREFETCH: Final = 1_000
TOGETHER: Final = 100
"""How many entries are acknowledged at once when they are read, and are ahead of the confirms when they are written."""
ANSWER_TIMEOUT: Final = 30.0
GLANCE: Final = 0.1


class RabbitDirectory:
    """The stream of `workflow`, on a connection of its own."""

    def __init__(self, link: Link, workflow: str, *, beat: float) -> None:
        self._link = link
        self._stream = directory_name(workflow)
        with self._guard():
            self._confirms = Confirms(link.channel)
            declare_stream(link.channel, self._stream)
            if not self._has_entries():
                self._append(_entry({}, b""))
                self._settle(0)
        self._heart = Heart(link, beat=beat)

    def version(self) -> int:
        """Return the offset of the last entry.

        Raises:
            DeliveryError: the connection failed, or somebody deleted the stream.
        """
        with self._heart.lock, self._guard():
            return self._follow("last", 0).offset

    def read(self) -> Mapping[str, str]:
        """Read the stream from its first entry to what is the last one now.

        Raises:
            DeliveryError: as for `version`.
        """
        with self._heart.lock, self._guard():
            return self._follow("first", self._follow("last", 0).offset).documents

    def write(self, documents: Mapping[str, str]) -> None:
        """Append an entry for each document, and wait until the broker has them.

        Raises:
            DeliveryError: as for `version`, or the broker refuses an entry.
        """
        with self._heart.lock, self._guard():
            for key, text in documents.items():
                self._append(_entry({KEY: key}, text.encode()))
            self._settle(0)

    def close(self) -> None:
        """Close the connection."""
        self._heart.stop()

    def _append(self, entry: amqp.Message) -> None:
        self._settle(TOGETHER)
        self._confirms.publish(self._confirms.open(), entry, "", self._stream, mandatory=True)

    def _settle(self, in_flight: int) -> None:
        """Wait until no more than `in_flight` entries are without an answer; all answers have to be good."""
        if not self._link.wait(lambda: self._confirms.in_flight <= in_flight, ANSWER_TIMEOUT):
            raise self._silence()
        if in_flight == 0:
            for verdict in filter(None, self._confirms.take()):
                raise verdict

    def _has_entries(self) -> bool:
        """Tell whether an entry is there. Of one that is late nobody needs to know: a second one without a document does no harm."""
        with self._consume("last") as entries:
            return self._link.wait(partial(entries.is_beyond, -1), GLANCE)

    def _follow(self, start: str, end: int) -> _Entries:
        """Read from `start` until the entry with the offset `end`, or a later one, has come."""
        with self._consume(start) as entries:
            while entries.offset < end:
                if not self._link.wait(partial(entries.is_beyond, entries.offset), ANSWER_TIMEOUT):
                    raise self._silence()
        return entries

    @contextmanager
    def _consume(self, start: str) -> Iterator[_Entries]:
        channel = self._link.open_channel()
        channel.basic_qos(0, PREFETCH, a_global=False)
        entries = _Entries(channel)
        tag = channel.basic_consume(
            self._stream, callback=entries.add, on_cancel=self._on_cancel, arguments={OFFSET: start}
        )
        yield entries
        # The answer comes after all entries that were there together with the last one that has come.
        channel.basic_cancel(tag)
        channel.close()

    def _on_cancel(self, _consumer: str) -> None:
        raise DeliveryError(f"somebody deleted the stream {self._stream!r}; connect again to declare it")

    def _silence(self) -> DeliveryError:
        return DeliveryError(
            f"no answer for the stream {self._stream!r} within {ANSWER_TIMEOUT:g} s{self._link.trouble}; connect again"
        )

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with self._link.guard():
            try:
                yield
            except amqp.AccessRefused as error:
                raise DeliveryError(
                    f"{error.reply_text}; allow this user to configure, write and read the stream {self._stream!r}, and to write to "
                    "the exchange amq.default"
                ) from error


class _Entries:
    """The entries that a consumer on `channel` has got: the latest document of each key, and the offset of the last entry."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.documents: dict[str, str] = {}
        self.offset = -1

    def is_beyond(self, offset: int) -> bool:
        """Tell whether an entry after `offset` has come."""
        return self.offset > offset

    def add(self, entry: amqp.Message) -> None:
        """Take an entry. Others can write into the stream, too: what is no document is passed over."""
        offset = number(entry.table, OFFSET.encode())
        self.offset = self.offset + 1 if offset is None else offset  # they come in a row
        key = entry.properties.get(HEADERS, {}).get(KEY)
        if key is not None and entry.properties.get("content_type") == DOCUMENT_TYPE:
            self.documents[key] = bytes(entry.body or b"").decode(errors="replace")
        if entry.delivery_tag % TOGETHER == 0:
            self._channel.basic_ack(entry.delivery_tag, multiple=True)


def _entry(headers: Mapping[str, str], body: bytes) -> amqp.Message:
    return amqp.Message(body, content_type=DOCUMENT_TYPE, delivery_mode=PERSISTENT, application_headers=dict(headers))
