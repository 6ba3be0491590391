"""An event on its way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Message"]


class Message(NamedTuple):
    """An event, and what a store or a broker must know of it without opening its body.

    `event_id` is what repeats are known by, 16 bytes. Of what is no envelope it is made from the body, and `workflow_id` is empty.
    """

    workflow: str
    workflow_id: str
    event: str
    event_id: bytes
    body: bytes
    headers: Mapping[str, str]
