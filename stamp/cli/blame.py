"""Where in its author's code an exception comes from."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Final, TypedDict

import stamp
from stamp.errors import InputError, StampError

__all__ = ["Place", "described", "on_line", "place_of"]

_NOT_THEIRS: Final = (Path(sys.prefix), Path(sys.base_prefix), Path(stamp.__file__).parent)
"""Where libraries, Python and stamp itself are."""


class Place(TypedDict):
    """A line of a file, as an error of stamp takes it."""

    file: str
    line: int | None


def place_of(error: BaseException) -> Place | None:
    """Return the innermost line that neither Python, nor a library, nor stamp has; None if there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_absolute() and not any(file.is_relative_to(folder) for folder in _NOT_THEIRS):
            return {"file": frame.filename, "line": frame.lineno}
    return None


def described(error: Exception) -> StampError:
    """Return what happened, and where if that is in a handler or a validator."""
    if isinstance(error, StampError):
        return error
    place = place_of(error)
    where = "" if place is None else f", raised at {place['file']}:{place['line']}"
    return InputError(f"{type(error).__name__}: {error}{where}")


def on_line(error: Exception, file: str, line: int) -> StampError:
    """Return what happened to a line of an input."""
    said = described(error)
    return InputError(str(InputError(said.message, path=said.path, offset=said.offset)), file=file, line=line)
