"""A message as SQS has it: text, ten attributes, a group, and an id by which a repeat is dropped."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from stamp.envelope.format import CONTENT_TYPE
from stamp.runtime.outside import CONTENT_ENCODING, LEFT_OUT, named, parsed_headers, told
from stamp.runtime.transport import Arrival
from stamp.runtime.transports.letters import marked
from stamp.store.message import Message

__all__ = ["LARGEST", "arrival", "letter", "size", "written"]

LARGEST: Final = 720 * 2**10
"""Bytes of a body: SQS takes 1 MiB, of which a quarter goes to base64, and 64 KiB are left for headers."""

MOST: Final = 2**20
"""Bytes of a message with its attributes, as SQS counts them."""

HEADERS: Final = "stamp-headers"
TYPE_OF_CONTENT: Final = "content-type"
ENCODING_OF_CONTENT: Final = "content-encoding"
TRANSFER: Final = "content-transfer-encoding"
OURS: Final = frozenset({HEADERS, TYPE_OF_CONTENT, ENCODING_OF_CONTENT, TRANSFER})

BASE64: Final = "base64"
NOTHING: Final = " "
"""The text of an empty body, because SQS wants at least a character."""
GROUP: Final = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")

Entry = dict[str, Any]
"""What `SendMessageBatch` takes, but for its number in the batch."""


def written(message: Message) -> Entry:
    """Return what `message` becomes. The same event sent again within five minutes is dropped by SQS: it has the same id."""
    id_ = message.event_id.hex()
    return {
        "MessageBody": base64.b64encode(message.body).decode() or NOTHING,
        "MessageAttributes": _attributes(dict(message.headers), CONTENT_TYPE, CONTENT_ENCODING, BASE64),
        "MessageGroupId": _group(message.workflow_id) or id_,
        "MessageDeduplicationId": id_,
    }


def arrival(queue: str, received: Mapping[str, Any]) -> Arrival:
    """Return what was received as a message that arrived, from whomever: it may have any text and any attributes."""
    texts = _texts(received)
    headers, unreadable = _headers(texts)
    return Arrival(
        queue=queue,
        body=_body(received["Body"], texts.get(TRANSFER)),
        headers=headers,
        content_type=texts.get(TYPE_OF_CONTENT),
        content_encoding=texts.get(ENCODING_OF_CONTENT),
        unreadable=unreadable,
        deliveries=int(received.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        tag=received,
    )


def letter(arrival: Arrival, reason: str) -> Entry:
    """Return the dead letter that a message becomes: its text as it came, what is text of its attributes among the headers, with `reason`.

    Where there is no room for all of that, headers are left out, and at last the reason.
    """
    received = arrival.tag
    names = arrival.content_type, arrival.content_encoding, named(_texts(received).get(TRANSFER))
    left_out = {LEFT_OUT: "all headers: no room for them"}
    entry = {
        "MessageBody": received["Body"],
        "MessageGroupId": received.get("Attributes", {}).get("MessageGroupId", "stamp"),
        "MessageDeduplicationId": uuid.uuid4().hex,  # it may have lain there before
    }
    for headers in marked(arrival.headers, reason), marked(left_out, reason):
        whole = {**entry, "MessageAttributes": _attributes(headers, *names)}
        if size(whole) <= MOST:
            return whole
    return {**entry, "MessageAttributes": {}}


def size(entry: Entry) -> int:
    """Return how many bytes SQS counts: text and attributes, with their names and types."""
    attributes = entry["MessageAttributes"].items()
    texts = (text for name, each in attributes for text in (name, each["DataType"], each["StringValue"]))
    return sum(len(text.encode()) for text in (entry["MessageBody"], *texts))


def _attributes(headers: Mapping[str, Any], *special: str | None) -> dict[str, dict[str, str]]:
    # All headers in one, because there may be ten at most; in ASCII, because some characters are not allowed.
    values = (json.dumps(headers), *special)
    named = zip((HEADERS, TYPE_OF_CONTENT, ENCODING_OF_CONTENT, TRANSFER), values, strict=True)
    return {name: {"DataType": "String", "StringValue": value} for name, value in named if value}


def _group(workflow_id: str) -> str:
    """Return the message group of a run, which may not have every character, nor be long."""
    if not workflow_id or GROUP.fullmatch(workflow_id):
        return workflow_id
    return sha256(workflow_id.encode()).hexdigest()


def _texts(received: Mapping[str, Any]) -> dict[str, str]:
    """Return all attributes as text; bytes in base64."""
    attributes = received.get("MessageAttributes", {}).items()
    return {
        name: each.get("StringValue") or base64.b64encode(each.get("BinaryValue", b"")).decode()
        for name, each in attributes
    }


def _headers(texts: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """Return the headers, and why they cannot be read, if so: then there are no more than those that are attributes of their own."""
    others = {name: value for name, value in texts.items() if name not in OURS}
    try:
        return {**others, **parsed_headers(texts.get(HEADERS, "{}"))}, None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message must not end its worker
        return others, told(error)


def _body(text: str, transfer: str | None) -> bytes:
    if transfer == BASE64:
        try:
            return base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            pass  # then it is what it is, and no envelope
    return text.encode(errors="replace")
