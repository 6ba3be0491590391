"""How a message lies in a table."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Final

from stamp.store.message import Message

__all__ = ["COLUMNS", "FIELDS", "clean", "escaped", "fields", "message", "run"]

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

ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode

Fields = tuple[bytes, str, str, str, str, bytes]


def fields(each: Message) -> Fields:
    """Return the columns of a message."""
    event_id, headers = each.event_id, ENCODE(dict(each.headers))
    return event_id, escaped(each.workflow), escaped(each.workflow_id), escaped(each.event), headers, each.body


def message(row: Fields) -> Message:
    """Return the message that lies in these columns."""
    event_id, workflow, workflow_id, event, headers, body = row
    return Message(
        _unescaped(workflow),
        _unescaped(workflow_id),
        _unescaped(event),
        bytes(event_id),
        bytes(body),
        json.loads(headers),
    )


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
