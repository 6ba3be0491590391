"""The file that a command reads, or standard input."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Final

import click

__all__ = ["INPUT", "name_of", "opened"]

INPUT: Final = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
"""An argument that names a file, or standard input as `-`."""


def opened(source: Path) -> AbstractContextManager[IO[bytes]]:
    """Return the bytes of an INPUT."""
    return nullcontext(sys.stdin.buffer) if str(source) == "-" else source.open("rb")


def name_of(source: Path) -> str:
    """Return what an INPUT is called in messages."""
    return "standard input" if str(source) == "-" else str(source)
