"""What a message of a directory holds: documents by their keys, each with the time at which it was written.

Of a key the latest document counts, whatever message it comes in and however often. So messages can be put together in any order.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from stamp.errors import DeliveryError

__all__ = ["LARGEST", "Dated", "together", "updated", "written"]

Dated: TypeAlias = Mapping[str, tuple[int, str]]
"""Times, in microseconds, and documents, by their keys."""

LARGEST: Final = 480 * 2**10
"""Characters of a message: SQS gives out 1 MiB at a time, and while one takes the place of another both are there."""
UNPACKED: Final = 64 * 2**20
"""Bytes of what is packed in a message that somebody else may have written."""


def together(texts: Iterable[str]) -> Dated:
    """Return the latest document of each key that is in any of the messages."""
    found: dict[str, tuple[int, str]] = {}
    for text in texts:
        for key, dated in _read(text):
            found[key] = max(dated, found.get(key, dated))  # of two at one time everybody takes the same
    return found


def updated(known: Dated, documents: Mapping[str, str], now: int) -> Dated:
    """Return what is known with `documents` in place of the earlier ones, by clocks that need not agree."""
    return {
        **known,
        **{key: (max(now, known[key][0] + 1 if key in known else now), documents[key]) for key in documents},
    }


def written(known: Dated) -> str:
    """Return the text of a message.

    Raises:
        DeliveryError: it would be too large.
    """
    text = packed(known)
    if len(text) > LARGEST:
        raise DeliveryError(
            f"all documents of a directory on SQS may have {LARGEST} characters when they are packed, got {len(text)}"
        )
    return text


def packed(value: Any) -> str:
    """Return a JSON value as text that SQS takes."""
    return base64.b64encode(zlib.compress(json.dumps(value).encode())).decode()


def _read(text: str) -> list[tuple[str, tuple[int, str]]]:
    """Return what is in a message; nothing if that is not from us."""
    try:
        known: Any = json.loads(zlib.decompressobj().decompress(base64.b64decode(text, validate=True), UNPACKED))
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return []
    entries = known.items() if isinstance(known, dict) else ()
    return [(key, (value[0], value[1])) for key, value in entries if _is_dated(value)]


def _is_dated(value: Any) -> bool:
    return isinstance(value, list) and list(map(type, value)) == [int, str]
