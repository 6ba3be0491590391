"""An envelope with as much of its payloads as can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stamp.envelope.envelope import Envelope
from stamp.envelope.payloads import payloads
from stamp.envelope.state import Written
from stamp.errors import StampError

__all__ = ["Reading", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What each contribution of `envelope` holds: it is there for each of them, either as `written` or as the `unread` error."""

    envelope: Envelope
    written: Mapping[int, Written]
    unread: Mapping[int, StampError]


def read(envelope: Envelope) -> Reading:
    """Return an envelope with the payloads that its catalog can read, and why it cannot read the others."""
    written, unread = {}, {}
    for number, (each, data) in enumerate(zip(envelope.contributions, payloads(envelope), strict=True)):
        if isinstance(data, StampError):
            unread[number] = data
        else:
            written[number] = Written(each, envelope.version(each), data)
    return Reading(envelope, written, unread)
