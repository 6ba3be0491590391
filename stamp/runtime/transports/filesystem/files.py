"""Files that are there as a whole or not at all, also after a power failure."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["remove_abandoned", "sync", "write"]

ABANDONED: Final = 3_600
"""After how many seconds something that was being written is nobody's any more."""


def write(path: Path, data: bytes) -> None:
    """Write a new file, and have it on the disk."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def sync(folders: Iterable[Path]) -> None:
    """Have on the disk which files `folders` hold: without that, a file that is renamed may be nowhere after a power failure."""
    for folder in folders:
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def remove_abandoned(folder: Path) -> None:
    """Remove files whose writer was killed."""
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):  # its writer has just finished it
            if entry.is_file() and entry.stat().st_mtime < time.time() - ABANDONED:
                Path(entry).unlink()
