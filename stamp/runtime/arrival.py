"""From what a broker gave out to a message: nothing on its outside is believed."""

from __future__ import annotations

from hashlib import sha256

from stamp.envelope import wire
from stamp.envelope.limits import Limits
from stamp.errors import WireError
from stamp.runtime.outside import named, refusal
from stamp.runtime.transport import Arrival
from stamp.store.message import Message

__all__ = ["opened", "own_id"]

NOT_ONE: str = ""
"""The run of what is no envelope."""


def opened(arrival: Arrival, workflow: str, limits: Limits) -> tuple[Message, WireError | None]:
    """Return the message that arrived, and why it is none of ours, if it is not.

    Its names and its id are those in the envelope. What is no envelope has an id made of its queue and its body, so that it is known when it comes again.
    """
    headers = arrival.headers
    try:
        refused = refusal(arrival.content_type, arrival.content_encoding, headers, arrival.unreadable)
        if refused is not None:
            raise refused
        return Message(*wire.read_latest(arrival.body, limits), arrival.body, headers), None
    except WireError as error:
        event = named(headers.get("ce-type")) or NOT_ONE
        return Message(workflow, NOT_ONE, event, own_id(arrival.queue, arrival.body), arrival.body, headers), error


def own_id(queue: str, body: bytes) -> bytes:
    """Return an id for a message that has none, or not one of its own: the same when it comes again."""
    return sha256(b"\0".join((queue.encode(), body))).digest()[:16]
