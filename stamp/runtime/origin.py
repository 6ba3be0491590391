"""The place where an error arose in the code of a handler."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from typing import Final

__all__ = ["origin"]

OURS: Final = str(Path(__file__).parents[1])
FOREIGN: Final = tuple({f"{each}/" for each in (*map(sysconfig.get_path, ("stdlib", "purelib", "platlib")), OURS)})
"""Folders of code that no handler's author has written."""


def origin(error: BaseException, file: str) -> str | None:
    """Return file and line of the innermost place that a handler's author knows; None where the error comes from nowhere there.

    That is one in `file`, which defines the handler, or in any other that is neither part of a library nor of this toolkit.
    """
    *_, place = None, *_places(error, file)
    return place


def _places(error: BaseException, file: str) -> Iterator[str]:
    for frame, line in walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if name == file or not name.startswith(("<", *FOREIGN)):
            yield f"{name}:{line}"
