"""Names of workflows, steps and events: what folders, exchanges, queues and routing keys can all be called."""

from __future__ import annotations

import re
from typing import Final

from stamp.schema.release import RESERVED

__all__ = ["is_event_name", "is_step_name", "is_workflow_name"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_EVENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_LONGEST_KEY: Final = 255  # bytes of an AMQP routing key


def is_step_name(text: object) -> bool:
    """Tell whether `text` can name a step: up to 100 ASCII letters, digits, `_` and `-`, no digit first, not `stamp`."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None and text != RESERVED


def is_workflow_name(text: object) -> bool:
    """Tell whether `text` can name a workflow: the same as for a step."""
    return is_step_name(text)


def is_event_name(text: object) -> bool:
    """Tell whether `text` can name an event: words of ASCII letters, digits, `_` and `-`, joined by dots; up to 255 bytes."""
    return isinstance(text, str) and len(text) <= _LONGEST_KEY and _EVENT.fullmatch(text) is not None
