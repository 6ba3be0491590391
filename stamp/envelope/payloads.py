"""The payloads of an envelope for somebody who looks at it: as many of them as can be read, and within bounds."""

from __future__ import annotations

from typing import Any, Final

from stamp.envelope.envelope import Envelope
from stamp.errors import DecodeError, LimitError, StampError, UnknownSchemaError
from stamp.schema.limits import MAX_VALUES
from stamp.schema.weight import counted

__all__ = ["payloads"]


def payloads(envelope: Envelope) -> list[dict[str, Any] | StampError]:
    """Return what each contribution holds, or why that cannot be read.

    A few kilobytes can stand for gigabytes of values: after `MAX_VALUES` of them nothing more is read.
    """
    found: list[dict[str, Any] | StampError] = []
    left = MAX_VALUES
    for each in envelope.contributions:
        try:
            if left <= 0:
                raise _EXCESS.within(each.step)
            data = envelope.data(each)
        except (UnknownSchemaError, DecodeError, LimitError) as error:
            found.append(error)
        else:
            found.append(data)
            left -= counted(data)
    return found


_EXCESS: Final = LimitError(f"expected at most {MAX_VALUES} values in an envelope that is to be shown, got more before")
