"""Files that are there as a whole or not at all, also after a power failure, and that are nobody else's.

They are for the user who made them alone, whatever the process' umask says, and what others may have put beside them is not followed: a symbolic
link among the messages could be to anything that only we may read.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = [
    "AS_IT_IS",
    "FILE",
    "discard",
    "is_folder",
    "make_folder",
    "make_root",
    "must_be_ours",
    "read",
    "remove_abandoned",
    "size",
    "sync",
    "write",
]

ABANDONED: Final = 3_600
"""After how many seconds something that was being written is nobody's any more."""
FILE: Final = 0o600
FOLDER: Final = 0o700
"""For the user who makes it alone: messages hold what customers wrote."""
AS_IT_IS: Final = os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: Path, data: bytes) -> None:
    """Write a new file, and have it on the disk."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | AS_IT_IS, FILE)
    try:
        os.fchmod(file, FILE)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def read(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        OSError: it is a symbolic link, or no regular file.
    """
    with open(path, "rb", opener=_opened) as file:
        return file.read()


def _opened(path: str, flags: int) -> int:
    file = os.open(path, flags | AS_IT_IS | os.O_NONBLOCK)  # nobody may write to a pipe that was put there
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "expected a regular file", path)
    return file


def size(path: Path) -> int | None:
    """Return how many bytes a file has; None if it is gone, is none, or has another name that somebody else may have given it."""
    try:
        found = path.lstat()
        is_one = stat.S_ISREG(found.st_mode) and (found.st_nlink == 1 or _belongs_to_its_folder(found, path.parent))
    except FileNotFoundError:
        return None
    return found.st_size if is_one else None


def _belongs_to_its_folder(found: os.stat_result, folder: Path) -> bool:
    """Tell whether only the owner of a file can have put it into `folder`.

    Backups and snapshots give files more names (`cp -al`, rsnapshot). But where somebody else may write, or the folder is his, a second name
    could stand for a file that only we may read; where Linux has `fs.protected_hardlinks`, it forbids such names, too.
    """
    around = folder.stat()
    return found.st_uid == around.st_uid and not around.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def make_root(folder: Path) -> None:
    """Make a folder that a person has named, unless it is there: then it is as that person wants it, and may be a link."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(FOLDER)


def make_folder(folder: Path) -> None:
    """Make a folder of our own, unless it is there.

    Raises:
        OSError: something else is there, a symbolic link to a folder, too.
    """
    try:
        folder.mkdir(FOLDER)
    except FileExistsError:
        must_be_ours(folder)
    else:
        folder.chmod(FOLDER)


def must_be_ours(folder: Path) -> None:
    """Refuse what stands where a folder of our own should.

    Raises:
        OSError: it is a symbolic link, to a folder, too, or a file.
    """
    if not is_folder(folder) and os.path.lexists(folder):
        text = "expected a folder, got a symbolic link or a file: see who has put it there, and remove it"
        raise NotADirectoryError(errno.ENOTDIR, text, str(folder))


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def discard(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink()


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
            if not entry.is_dir(follow_symlinks=False) and _age(entry) > ABANDONED:
                Path(entry).unlink()


def _age(entry: os.DirEntry[str]) -> float:
    return time.time() - entry.stat(follow_symlinks=False).st_mtime
