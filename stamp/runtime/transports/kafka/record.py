"""A message as a record of a topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import methodcaller
from typing import Any, Final, NamedTuple, TypeAlias

from confluent_kafka import Message as Polled

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING, LEFT_OUT, told
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.documents import DOCUMENT_TYPE
from stamp.runtime.transports.letters import marked
from stamp.store.message import Message

__all__ = ["LARGEST", "Record", "arrival", "document", "documented", "letter", "remark", "written"]

TYPE_OF_CONTENT: Final = "content-type"
ENCODING_OF_CONTENT: Final = "content-encoding"
LARGEST: Final = 960 * 2**10
"""Bytes of a body: brokers take 1 MiB with everything around it, unless told otherwise."""

OF_CONTENT: Final = (TYPE_OF_CONTENT, ENCODING_OF_CONTENT)

HEADERS_OF: Final = methodcaller("headers")
"""Asks for headers, once for each record.

For a name that is not UTF-8 confluent-kafka (2.16) gives out a list with holes, in which Python dies, and sets an error beside it. Python looks for
such an error when a function written in C, like this one, makes the call; not when a line does that it has run often. A second call gives out the list alone.
"""

Headers: TypeAlias = list[tuple[str, str | bytes | None]]


class Record(NamedTuple):
    """What is published. The key decides the partition, so everything of one run comes in its order."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """In bytes, nearly: a few are between these."""
        texts = (text for header in self.headers for text in header)
        return sum(len(each) for each in (self.key, self.value, *texts) if each is not None)


def written(message: Message) -> Record:
    """Return the record that `message` becomes; what belongs to no run has no key, and goes anywhere."""
    texts = {**message.headers, TYPE_OF_CONTENT: CONTENT_TYPE, ENCODING_OF_CONTENT: CONTENT_ENCODING}
    return Record(message.workflow_id.encode() or None, message.body, _bytes(texts))


def document(key: str, text: str) -> Record:
    """Return the record that a document of a directory becomes."""
    return Record(key.encode(), text.encode(), _bytes({TYPE_OF_CONTENT: DOCUMENT_TYPE}))


def documented(polled: Polled) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of what was polled, if it is a document: others can write into the topic, too."""
    key, value = polled.key(), polled.value()
    headers, _ = _texts(polled)
    if headers.get(TYPE_OF_CONTENT) == DOCUMENT_TYPE and isinstance(key, bytes) and isinstance(value, bytes):
        yield key.decode(errors="replace"), value.decode(errors="replace")


def arrival(queue: str, polled: Polled, tag: Any) -> Arrival:
    """Return what was polled as a message that arrived, from whomever: it may have any headers. To be called once."""
    headers, unreadable = _texts(polled)
    return Arrival(
        queue=queue,
        body=polled.value() or b"",
        headers={name: value for name, value in headers.items() if name not in OF_CONTENT},
        content_type=headers.get(TYPE_OF_CONTENT),
        content_encoding=headers.get(ENCODING_OF_CONTENT),
        unreadable=unreadable,
        tag=tag,
    )


def letter(arrival: Arrival, polled: Polled, reason: str) -> Record:
    """Return the dead letter that a message becomes: as it came, but for headers that are no text; and `reason`."""
    outside = {TYPE_OF_CONTENT: arrival.content_type, ENCODING_OF_CONTENT: arrival.content_encoding}
    texts = marked(arrival.headers, reason) | {name: value for name, value in outside.items() if value is not None}
    return Record(polled.key(), polled.value(), _bytes(texts))


def remark(polled: Polled, reason: str) -> Record:
    """Return a dead letter in place of one that is too large: `reason`, and where the record is."""
    value = polled.value() or b""
    stays = f"{len(value)} bytes: they stay in {polled.topic()} [{polled.partition()}] at offset {polled.offset()}"
    return Record(None, None, _bytes(marked({LEFT_OUT: stays}, reason)))


def _bytes(headers: Mapping[str, str]) -> Headers:
    return [(name, value.encode()) for name, value in headers.items()]


def _texts(polled: Polled) -> tuple[dict[str, str], str | None]:
    """Return the headers that are text, and why they cannot be read, if so: then there are none. Of a name that comes twice the last one counts."""
    try:
        headers: Any = HEADERS_OF(polled)
        return {name: text for name, value in headers or () if (text := _text(value)) is not None}, None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not end its worker
        return {}, told(error)


def _text(value: str | bytes | None) -> str | None:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return None
