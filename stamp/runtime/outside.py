"""What stands on the outside of an envelope, and what is refused by that alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import WireError

__all__ = ["CONTENT_ENCODING", "refusal"]

CONTENT_ENCODING: Final = "binary"


def refusal(content_type: str | None, content_encoding: str | None, headers: Mapping[str, Any]) -> WireError | None:
    """Return why a message is not taken for an envelope, from its outside alone; None if it may be one."""
    if content_type != CONTENT_TYPE:
        return WireError(f"expected a message of type {CONTENT_TYPE}, got {content_type}")
    if content_encoding != CONTENT_ENCODING:
        return WireError(f"expected content encoding {CONTENT_ENCODING}, got {content_encoding}")
    if headers.get("compression"):
        return WireError(f"envelopes are not compressed by the transport, this one is by {headers['compression']}")
    return None
