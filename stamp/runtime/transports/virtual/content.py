"""What a queue of our own keeps of a message, and how it is written down as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, Self

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING, named, parsed, texts
from stamp.store.message import Message

__all__ = ["Content"]


class Content(NamedTuple):
    """A body and what stands on its outside."""

    body: bytes
    headers: Mapping[str, str]
    content_type: str | None
    content_encoding: str | None

    @property
    def size(self) -> int:
        """Bytes of it that are in memory, roughly."""
        return len(self.body) + sum(len(str(part)) for header in self.headers.items() for part in header)

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return what is kept of a message of ours."""
        return cls(message.body, dict(message.headers), CONTENT_TYPE, CONTENT_ENCODING)

    def packed(self) -> bytes:
        """Return it as bytes: a line of JSON, then the body as it is."""
        return json.dumps(self[1:]).encode() + b"\n" + self.body

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """Read it from bytes. Of what is not ours, all is body: a worker parks such a message and must get to see it."""
        line, _, body = data.partition(b"\n")
        try:
            headers, *names = parsed(line)
            content_type, content_encoding = map(named, names)
            is_ours = names == [content_type, content_encoding]
            kept = texts(headers)
        except Exception:  # noqa: BLE001 - whatever is wrong with one message must not end its worker
            return cls(data, {}, None, None)
        return cls(body, kept, content_type, content_encoding) if is_ours else cls(data, {}, None, None)
