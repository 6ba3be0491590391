"""From what a step publishes to messages."""

from __future__ import annotations

from collections.abc import Sequence

from stamp.store.message import Message
from stamp.workflow.outgoing import Outgoing

__all__ = ["answered"]


def answered(workflow: str, outgoing: Sequence[Outgoing]) -> list[Message]:
    """Return what a step, or a start, of `workflow` publishes as messages: their ids and runs are in the headers that it made."""
    return [
        Message(workflow, headers["ce-subject"], event, bytes.fromhex(headers["ce-id"]), body, headers)
        for event, body, headers in outgoing
    ]
