"""What a queue of our own keeps of a message, and how it is written down as bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import WireError
from stamp.runtime.outside import CONTENT_ENCODING, LONGEST, must_be_object, named, parsed, texts, told
from stamp.store.message import Message

__all__ = ["Content"]

ENDING: Final = re.compile(
    rb',\s*"%b"\s*,\s*"%b"\s*\]\s*\Z' % tuple(re.escape(each.encode()) for each in (CONTENT_TYPE, CONTENT_ENCODING))
)
LONGEST_ENDING: Final = 200
"""How a first line of ours ends, and in how many bytes."""


class Content(NamedTuple):
    """A body and what stands on its outside; if headers cannot be read there are none, and `unreadable` says why."""

    body: bytes
    headers: Mapping[str, str]
    content_type: str | None
    content_encoding: str | None
    unreadable: str | None = None

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
        return json.dumps(self[1:4]).encode() + b"\n" + self.body

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """Read it from bytes. Of what is not ours, all is body: a worker parks such a message and must get to see it.

        A first line that ends as ours do is one of ours, however it begins.
        """
        line, newline, body = data.partition(b"\n")
        try:
            return cls(body, *_outside(line))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not end its worker
            if newline and ENDING.search(line[-LONGEST_ENDING:]):
                return cls(body, {}, CONTENT_TYPE, CONTENT_ENCODING, told(error))
            return cls(data, {}, None, None)


def _outside(line: bytes) -> tuple[Mapping[str, str], str | None, str | None]:
    """Return the headers, the content type and the encoding that a line has.

    Raises:
        WireError: it has something else. Exception: as for `parsed`.
    """
    outside = parsed(line)
    if not isinstance(outside, list) or len(outside) != len(Content._fields[1:4]):
        raise WireError("expected a list of headers, a content type and an encoding in JSON")
    headers, *names = outside
    must_be_object(headers)
    content_type, content_encoding = map(named, names)
    if names != [content_type, content_encoding]:
        raise WireError(f"expected a content type and an encoding of at most {LONGEST} characters each")
    return texts(headers), content_type, content_encoding
