"""A message as an entry of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING, LONGEST, parsed_headers, texts, told
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.letters import marked, unmarked
from stamp.store.message import Message

__all__ = ["Entry", "written"]

BODY: Final = b"body"
HEADERS: Final = b"headers"
TYPE_OF_CONTENT: Final = b"content-type"
ENCODING_OF_CONTENT: Final = b"content-encoding"
EVENT: Final = b"type"
NAMES: Final = (TYPE_OF_CONTENT, ENCODING_OF_CONTENT, EVENT)
"""Fields that a dead letter has no more of than a name may have."""
MOST: Final = 1_000
"""Fields of a dead letter, beyond which those that are not ours are left out: a script in Redis takes some thousand arguments."""


def written(message: Message) -> tuple[str | bytes, ...]:
    """Return the fields of a new entry: names and values in turn."""
    return (
        *(BODY, message.body),
        *(HEADERS, json.dumps(dict(message.headers))),
        *(TYPE_OF_CONTENT, CONTENT_TYPE),
        *(ENCODING_OF_CONTENT, CONTENT_ENCODING),
        *(EVENT, message.event),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it was read, from whomever: it may have any fields."""

    key: str
    id: bytes
    fields: Mapping[bytes, bytes]

    @classmethod
    def read(cls, key: str, answer: Sequence[Any]) -> Self:
        """Read an entry from an answer of the server, which has names and values in turn."""
        id_, flat = answer
        return cls(key, id_, dict(zip(flat[::2], flat[1::2], strict=True)))

    @property
    def size(self) -> int:
        """Bytes of it."""
        return sum(len(part) for field in self.fields.items() for part in field)

    def arrival(self, queue: str, deliveries: int = 1) -> Arrival:
        """Return it as a message that arrived."""
        headers, unreadable = self._headers()
        return Arrival(
            queue=queue,
            body=self.fields.get(BODY, b""),
            headers=headers,
            content_type=self._text(TYPE_OF_CONTENT),
            content_encoding=self._text(ENCODING_OF_CONTENT),
            unreadable=unreadable,
            deliveries=deliveries,
            tag=self,
        )

    def letter(self, reason: str) -> tuple[bytes | str, ...]:
        """Return the fields of the dead letter that it becomes: its own, with `reason` in the headers."""
        return self._with_headers(marked(self._headers()[0], reason))

    def revived(self) -> tuple[bytes | str, ...]:
        """Return the fields of the message that this dead letter was."""
        return self._with_headers(unmarked(self._headers()[0]))

    def _with_headers(self, headers: Mapping[str, str]) -> tuple[bytes | str, ...]:
        cut = {name: self.fields[name][:LONGEST] for name in NAMES if name in self.fields}
        own = {BODY: self.fields.get(BODY, b"")} if len(self.fields) > MOST else self.fields
        fields: dict[bytes, bytes | str] = {**own, **cut, HEADERS: json.dumps(headers)}
        return tuple(part for field in fields.items() for part in field)

    def _headers(self) -> tuple[dict[str, str], str | None]:
        """Return the headers, and why they cannot be read, if so: then there are none."""
        try:
            return texts(parsed_headers(self.fields.get(HEADERS, b"{}"))), None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not end its worker
            return {}, told(error)

    def _text(self, name: bytes) -> str | None:
        value = self.fields.get(name)
        return None if value is None else value[: 4 * LONGEST].decode(errors="replace")
