"""From what a broker gave out to a message: nothing on its outside is believed."""

from __future__ import annotations

from hashlib import sha256

from stamp.envelope import wire
from stamp.envelope.content import ANY_SIZE
from stamp.envelope.limits import Limits
from stamp.errors import WireError
from stamp.runtime.outside import named, refusal
from stamp.runtime.transport import Arrival
from stamp.store.message import Message

__all__ = ["enclosed", "opened", "own_id"]

NOT_ONE: str = ""
"""The run of what is no envelope."""


def opened(arrival: Arrival, workflow: str, limits: Limits) -> tuple[Message, WireError | None]:
    """Return the message that arrived, and why it is none of ours, if it is not.

    Its names and its id are those in the envelope. What is refused has an id made of its queue and its body, so that it is known when it comes again;
    its run and its event are told as far as its body is an envelope.
    """
    headers = arrival.headers
    try:
        refused = refusal(arrival.content_type, arrival.content_encoding, headers, arrival.unreadable)
        if refused is not None:
            raise refused
        return Message(*wire.read_latest(arrival.body, limits), arrival.body, headers), None
    except WireError as error:
        found = enclosed(arrival.body)
        run = NOT_ONE if found is None else found.workflow_id
        event = (named(headers.get("ce-type")) or NOT_ONE) if found is None else found.event
        return Message(workflow, run, event, own_id(arrival.queue, arrival.body), arrival.body, headers), error


def enclosed(body: bytes) -> wire.Latest | None:
    """Return which event a body holds, whatever stands on its outside and however large it is; None if it is no envelope."""
    try:
        return wire.read_latest(body, ANY_SIZE)
    except WireError:
        return None


def own_id(queue: str, body: bytes) -> bytes:
    """Return an id for a message that has none, or not one of its own: the same when it comes again."""
    return sha256(b"\0".join((queue.encode(), body))).digest()[:16]
