"""Where runs begin: the id of a run is used once, and the same start again is harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from stamp.envelope.limits import Limits
from stamp.errors import UsedIdError, WireError
from stamp.store.message import Message
from stamp.workflow.first import Start, start

__all__ = ["Beginnings", "Note", "begin", "used"]

Note: TypeAlias = Callable[[Mapping[bytes, bytes]], Mapping[bytes, bytes]]
"""Keeps with what runs begin, by their keys, and returns the same of those that began before."""


class Beginnings(NamedTuple):
    """Of some messages, those with which their run began before, and those whose run began with other content."""

    repeated: Sequence[Message]
    refused: Sequence[Message]


def begin(messages: Sequence[Message], limits: Limits, note: Note) -> Beginnings:
    """Note the runs that begin with some of `messages`, and return what must not begin again."""
    firsts = [(each, first) for each in messages if (first := _start(each, limits)) is not None]
    contents: dict[bytes, bytes] = {}
    for _, first in firsts:
        contents.setdefault(first.run, first.content)
    known = note(contents) if contents else {}
    contents |= known
    return Beginnings(
        [each for each, first in firsts if first.run in known and contents[first.run] == first.content],
        [each for each, first in firsts if contents[first.run] != first.content],
    )


def _start(message: Message, limits: Limits) -> Start | None:
    try:
        return start(message.body, limits)
    except WireError:  # no run can begin with it: who works on it says so
        return None


def used(ids: Sequence[str], *, path: str) -> UsedIdError:
    """Return the error that the ids of runs are used."""
    told = ", ".join(map(repr, ids[:5])) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    text = (
        f"expected the id of a new run, or the same first event again, got {told}, which began with other content: "
        "an id is used once, so start this run under another one"
    )
    return UsedIdError(text, workflow_ids=ids, path=path)
