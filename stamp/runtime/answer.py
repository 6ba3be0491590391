"""From what a step publishes to messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stamp.envelope import wire
from stamp.envelope.limits import Limits
from stamp.errors import InputError
from stamp.store.message import Message
from stamp.workflow.outgoing import Outgoing

__all__ = ["answered", "handed_in"]


def answered(workflow: str, outgoing: Sequence[Outgoing]) -> list[Message]:
    """Return what a step, or a start, of `workflow` publishes as messages: their ids and runs are in the headers that it made."""
    return [
        Message(workflow, headers["ce-subject"], event, bytes.fromhex(headers["ce-id"]), body, headers)
        for event, body, headers in outgoing
    ]


def handed_in(workflow: str, outgoing: Outgoing, limits: Limits) -> Message:
    """Return an event of `workflow` that somebody hands in as a message. Its ids and names are those of the envelope.

    Raises:
        InputError: its event or its headers are not those of the envelope.
        WireError: its body is no envelope.
    """
    event, body, headers = outgoing
    latest = wire.read_latest(body, limits)
    if (workflow, event) != (latest.workflow, latest.event):
        text = f"expected the event of the envelope, {latest.event!r} of {latest.workflow!r}, got {event!r} of {workflow!r}"
        raise InputError(f"{text}: publish what `start` and `process` return as it is", path=workflow)
    _check_headers(latest, headers)
    return Message(*latest, body, headers)


def _check_headers(latest: wire.Latest, headers: object) -> None:
    wanted = {"ce-id": latest.event_id.hex(), "ce-subject": latest.workflow_id, "ce-type": latest.event}
    given = headers if isinstance(headers, Mapping) else {}
    is_ours = str(given.get("ce-source")).startswith(f"/{latest.workflow}/")
    if (
        is_ours
        and given.items() >= wanted.items()
        and all(isinstance(each, str) for pair in given.items() for each in pair)
    ):
        return
    wrong = [
        f"{name} {given.get(name)!r} in place of {text!r}" for name, text in wanted.items() if given.get(name) != text
    ]
    if not is_ours:
        wrong.append(f"ce-source {given.get('ce-source')!r} in place of '/{latest.workflow}/' and the step")
    wrong += [
        f"{name!r}: {text!r}" for name, text in given.items() if not (isinstance(name, str) and isinstance(text, str))
    ]
    text = f"expected the headers of the event, texts by their names, got {', '.join(wrong)}"
    raise InputError(f"{text}: publish what `start` and `process` return as it is, headers too", path=latest.event)
