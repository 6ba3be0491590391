"""How a message lies in a table, and what is taken for one.

Whoever can write to the database can write anything: SQLite takes any value for any column, and no database looks into a text. So a row is read
as strictly as a message from a broker, and what cannot be read is an error that its reader expects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Any, Final

from stamp.errors import WireError
from stamp.store.message import Message

__all__ = [
    "COLUMNS",
    "FIELDS",
    "clean",
    "count",
    "escaped",
    "fields",
    "is_text",
    "message",
    "number",
    "readable_bytes",
    "readable_number",
    "readable_text",
    "remains",
    "run",
]

FIELDS: Final = {
    "event_id": "bytes",
    "workflow": "text",
    "workflow_id": "text",
    "event": "text",
    "headers": "text",
    "body": "bytes",
}
"""The columns of a message, and what kind they are of."""

COLUMNS: Final = ", ".join(FIELDS)

TEXTS: Final = ("workflow", "workflow_id", "event")
SURROGATE: Final = re.compile("[\ud800-\udfff]")

ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode

LONGEST_HEADERS: Final = 2**20
"""Characters of headers in JSON: all that a message may have, escaped."""

ID_SIZE: Final = 16
LARGEST_COUNT: Final = 2**31 - 2
"""One more can be stored."""

Fields = tuple[bytes, str, str, str, str, bytes]


def fields(each: Message) -> Fields:
    """Return the columns of a message."""
    event_id, headers = each.event_id, ENCODE(dict(each.headers))
    return event_id, escaped(each.workflow), escaped(each.workflow_id), escaped(each.event), headers, each.body


def message(row: Sequence[Any]) -> Message:
    """Return the message that lies in these columns.

    Raises:
        WireError: a value is none that `fields` gives.
    """
    event_id, workflow, workflow_id, event, headers, body = row
    for name, value in zip(TEXTS, (workflow, workflow_id, event), strict=True):
        if not is_text(value):
            raise _unreadable(name, "a text", value)
    if not isinstance(event_id, bytes | memoryview) or len(event_id) != ID_SIZE:
        raise _unreadable("event_id", f"{ID_SIZE} bytes", event_id)
    if not isinstance(body, bytes | memoryview):
        raise _unreadable("body", "bytes", body)
    return Message(
        _unescaped(workflow),
        _unescaped(workflow_id),
        _unescaped(event),
        bytes(event_id),
        bytes(body),
        _headers(headers),
    )


def count(value: object, name: str) -> int:
    """Return a number of times, which may be stored with one more.

    Raises:
        WireError: it is none.
    """
    return _within(value, name, LARGEST_COUNT)


def number(value: object, name: str) -> int:
    """Return a time, or another number that is not negative.

    Raises:
        WireError: it is none.
    """
    return _within(value, name, 2**63 - 1)


def is_text(value: object) -> bool:
    """Tell whether this is a text, and all of it: the bytes of what is no UTF-8 stand there as halves of surrogate pairs."""
    return isinstance(value, str) and (value.isascii() or not SURROGATE.search(value))


def remains(row: Sequence[Any], consumer: str) -> Message:
    """Return what can be read of columns that hold no message: for people. Its id is made of all that is there, so that another such row has another one."""
    _, workflow, workflow_id, event, headers, body = row
    try:
        known = _headers(headers)
    except WireError:
        known = {}
    names = (_unescaped(readable_text(value)) for value in (workflow, workflow_id, event))
    event_id = sha256(repr((consumer, *map(_plain, row))).encode(errors="surrogatepass")).digest()[:ID_SIZE]
    return Message(next(names), next(names), next(names), event_id, readable_bytes(body), known)


def readable_text(value: object) -> str:
    """Return a text of whatever lies where one should be."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    if isinstance(value, str):
        return value if is_text(value) else value.encode(errors="surrogateescape").decode(errors="replace")
    return "" if value is None else str(value)


def readable_bytes(value: object) -> bytes:
    """Return the bytes of whatever lies where some should be, as they are."""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return value.encode(errors="surrogateescape") if isinstance(value, str) else readable_text(value).encode()


def readable_number(value: object) -> int:
    """Return a number that is not negative, 0 for whatever else lies where one should be."""
    try:
        return number(value, "")
    except WireError:
        return 0


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def _headers(value: object) -> dict[str, str]:
    expected = "an object of texts in JSON"
    if not isinstance(value, str) or len(value) > LONGEST_HEADERS:
        raise _unreadable("headers", expected, value)
    try:
        headers = json.loads(value)
    except (ValueError, RecursionError):
        raise _unreadable("headers", expected, value) from None
    if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
        raise _unreadable("headers", expected, value)
    return headers


def _within(value: object, name: str, largest: int) -> int:
    if type(value) is not int or not 0 <= value <= largest:
        raise _unreadable(name, f"a number from 0 to {largest}", value)
    return value


def _unreadable(name: str, expected: str, value: object) -> WireError:
    """Return the error that a value cannot be read; the value itself may be anything, and long."""
    if value is None:
        got = "none"
    elif isinstance(value, str | bytes | memoryview):
        got = f"{len(value)} {'characters' if isinstance(value, str) else 'bytes'} of something else"
    else:
        got = f"{type(value).__name__} {str(value)[:25]}"
    return WireError(f"expected a row of the store with {expected} in {name}, got {got}")


def run(workflow_id: str, consumer: str = "") -> int | None:
    """Return what stands for a run in an index, or for what `consumer` has of it: 8 bytes, however long a text a sender writes; None for no run.

    Two runs that share a number by chance would be looked at one after the other, and nothing worse.
    """
    if not workflow_id:
        return None
    digest = blake2b(f"{consumer}\0{workflow_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def clean(text: str) -> str:
    """Return a text for people to read, without what PostgreSQL does not store: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def escaped(text: str) -> str:
    """PostgreSQL stores no NUL in a text, and any sender may write one: it must come back as it was."""
    if "\0" in text or "\\" in text:
        return text.replace("\\", "\\\\").replace("\0", "\\0")
    return text


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))
