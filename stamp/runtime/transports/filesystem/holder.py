"""Who has messages, and whether they live.

A holder has a folder of its own with a file `lock` in it, which it keeps locked. The system lets go of the lock when the process ends,
however it ends; so whoever can take the lock knows that what is beside it is nobody's.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from stamp.runtime.transports.filesystem.files import AS_IT_IS, FILE, is_folder, make_folder, size

__all__ = ["Holder", "rescue"]

LOCK: Final = "lock"


class Holder:
    """A new folder in `taken`, which is locked before it gets there; `tmp` is where it is made."""

    def __init__(self, taken: Path, tmp: Path) -> None:
        name = f"{uuid4().hex}.holder"
        made = tmp / name
        make_folder(made)
        self.folder = taken / name
        self._lock = os.open(made / LOCK, os.O_CREAT | os.O_RDWR | AS_IT_IS, FILE)
        os.fchmod(self._lock, FILE)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        made.rename(self.folder)

    def box(self, queue: str) -> Path:
        """Return the folder for messages of the queue with the folder `queue`."""
        box = self.folder / queue
        make_folder(box)
        return box

    def close(self) -> None:
        """Let go. What is still in the folder is an orphan then."""
        _remove(self.folder)
        os.close(self._lock)


def rescue(holder: Path, give_back: Callable[[Path], None]) -> None:
    """Call `give_back` with each message in the folder `holder`, unless its holder lives, and remove the folder.

    The lock is ours meanwhile, so nobody else does the same.
    """
    try:
        lock = os.open(holder / LOCK, os.O_RDWR | AS_IT_IS)
    except FileNotFoundError:  # somebody is about to remove the folder, or was when he was killed
        _remove(holder)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        for box in filter(is_folder, holder.glob("*")):
            for path in sorted(each for each in box.glob("*") if size(each) is not None):
                give_back(path)
        _remove(holder)
    finally:
        os.close(lock)


def _remove(holder: Path) -> None:
    """Remove a folder in which no messages are; the lock last, because without it the rest would be nobody's for ever."""
    with suppress(OSError):  # not empty, or gone already
        for box in holder.glob("*/"):
            box.rmdir()
        (holder / LOCK).unlink(missing_ok=True)
        holder.rmdir()
