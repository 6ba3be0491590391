"""A message as an entry of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.letters import marked, unmarked
from stamp.store.message import Message

__all__ = ["Entry", "written"]

BODY: Final = b"body"
HEADERS: Final = b"headers"
TYPE_OF_CONTENT: Final = b"content-type"
ENCODING_OF_CONTENT: Final = b"content-encoding"
EVENT: Final = b"type"


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

    def arrival(self, queue: str, deliveries: int = 1) -> Arrival:
        """Return it as a message that arrived."""
        return Arrival(
            queue=queue,
            body=self.fields.get(BODY, b""),
            headers=self._headers(),
            content_type=self._text(TYPE_OF_CONTENT),
            content_encoding=self._text(ENCODING_OF_CONTENT),
            deliveries=deliveries,
            tag=self,
        )

    def letter(self, reason: str) -> tuple[bytes | str, ...]:
        """Return the fields of the dead letter that it becomes: its own, with `reason` in the headers."""
        return self._with_headers(marked(self._headers(), reason))

    def revived(self) -> tuple[bytes | str, ...]:
        """Return the fields of the message that this dead letter was."""
        return self._with_headers(unmarked(self._headers()))

    def _with_headers(self, headers: Mapping[str, Any]) -> tuple[bytes | str, ...]:
        fields: dict[bytes, bytes | str] = {**self.fields, HEADERS: json.dumps(headers)}
        return tuple(part for field in fields.items() for part in field)

    def _headers(self) -> dict[str, Any]:
        """Return the headers; none if they cannot be read, because a worker parks such a message and must get to see it."""
        try:
            headers = json.loads(self.fields.get(HEADERS, b"{}"))
        except (ValueError, RecursionError):
            return {}
        return headers if isinstance(headers, dict) else {}

    def _text(self, name: bytes) -> str | None:
        value = self.fields.get(name)
        return None if value is None else value.decode(errors="replace")
