"""What the place can show where output goes: colours, so many letters on a line, or only plain ones."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final, TextIO

from stamp.compat import Severity

__all__ = ["COLOURS", "is_coloured", "spelled", "width"]

COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
NARROWEST: Final = 20
WIDEST: Final = 120
USUAL: Final = 100
"""Letters on a line, where there is no terminal that has so many: a file, the log of a job."""


def is_coloured() -> bool:
    """Tell whether somebody wants colours, and if nobody says, whether there is a terminal.

    See https://no-color.org and https://force-color.org; who wants none has the last word.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def width() -> int:
    """Return how many letters a line may have."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((USUAL, 0)).columns))


PLAIN: Final = {"→": "->", "…": "..."}
"""Signs of ours, and what stands for them where they cannot be written."""


def spelled(text: str, stream: TextIO) -> str:
    """Return `text` with our signs in letters that a stream can write."""
    try:
        "".join(PLAIN).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        for sign, plain in PLAIN.items():
            text = text.replace(sign, plain)
    return text
