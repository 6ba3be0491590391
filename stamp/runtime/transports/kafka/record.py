"""A message as a record of a topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from confluent_kafka import Message as Polled

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.documents import DOCUMENT_TYPE
from stamp.runtime.transports.letters import marked
from stamp.store.message import Message

__all__ = ["Record", "arrival", "document", "documented", "letter", "written"]

TYPE_OF_CONTENT: Final = "content-type"
ENCODING_OF_CONTENT: Final = "content-encoding"
OF_CONTENT: Final = (TYPE_OF_CONTENT, ENCODING_OF_CONTENT)

Headers: TypeAlias = list[tuple[str, str | bytes | None]]


class Record(NamedTuple):
    """What is published. The key decides the partition, so everything of one run comes in its order."""

    key: bytes | None
    value: bytes | None
    headers: Headers


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
    headers = {name: _text(value) for name, value in _headers(polled)}
    if headers.get(TYPE_OF_CONTENT) == DOCUMENT_TYPE and isinstance(key, bytes) and isinstance(value, bytes):
        yield key.decode(errors="replace"), value.decode(errors="replace")


def arrival(queue: str, polled: Polled, tag: Any) -> Arrival:
    """Return what was polled as a message that arrived, from whomever: it may have any headers."""
    headers = {name: _text(value) for name, value in _headers(polled)}
    return Arrival(
        queue=queue,
        body=polled.value() or b"",
        headers={name: value for name, value in headers.items() if name not in OF_CONTENT},
        content_type=headers.get(TYPE_OF_CONTENT),
        content_encoding=headers.get(ENCODING_OF_CONTENT),
        tag=tag,
    )


def letter(polled: Polled, reason: str) -> Record:
    """Return the dead letter that a record becomes: as it came, with `reason` in the headers."""
    return Record(polled.key(), polled.value(), [*_headers(polled), *_bytes(marked({}, reason))])


def _bytes(headers: Mapping[str, str]) -> Headers:
    return [(name, value.encode()) for name, value in headers.items()]


def _headers(polled: Polled) -> Headers:
    """Return the headers of what was polled, in their order; a name may stand there twice."""
    headers: Any = polled.headers()
    return headers or []


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
