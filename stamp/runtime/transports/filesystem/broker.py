"""A folder as a transport."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from stamp.errors import InputError
from stamp.runtime.transport import Promises
from stamp.runtime.transports.filesystem.place import FolderPlace
from stamp.runtime.transports.virtual import Virtual
from stamp.runtime.transports.virtual.receiver import BEAT
from stamp.runtime.transports.virtual.sender import LARGEST

__all__ = ["Filesystem", "folder_of"]

LASTING: Final = {
    errno.EEXIST,
    errno.EINVAL,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,  # and not even its parents can be made, as in /proc
    errno.ENOSYS,
    errno.ENOTDIR,
    errno.EOPNOTSUPP,
    errno.EPERM,  # a file system without folders of users, such as /sys; missing rights are EACCES
    errno.EROFS,
}
"""What the system says where no folder can be made, and never will be."""

SCHEME: Final = "filesystem://"


def folder_of(url: str) -> Path:
    """Return the folder in `url`.

    Raises:
        InputError: there is none. What begins with a user and a host is none: it is not shown, since there may be a password in it.
    """
    scheme, path = url[: len(SCHEME)].lower(), url[len(SCHEME) :]
    first, _, _ = path.partition("/")
    folder = unquote(path)
    if scheme != SCHEME or not folder or "\0" in folder or (":" in first and "@" in path):
        raise InputError("expected filesystem:// and a folder, such as filesystem:///var/spool/orders")
    return Path(folder).absolute()


class Filesystem(Virtual):
    """The folder in `url`: `filesystem:///var/spool/orders`, or `filesystem://orders` from where the process runs. It is made if it is not there.

    For a disk of this machine: over a network file system nobody can tell whether a consumer lives.

    Raises:
        InputError: `url` is none.
    """

    failures = (OSError,)

    def __init__(self, url: str) -> None:
        self._folder = folder_of(url)
        super().__init__(f"{SCHEME}{self._folder}")

    @property
    def promises(self) -> Promises:
        """What it promises. A confirm means that the message is on the disk; the system tells at once that a process is dead."""
        return Promises(
            keeps=True, returns=True, redelivers=2 * BEAT, buries=True, between_processes=True, largest=LARGEST
        )

    def _open(self) -> FolderPlace:
        return FolderPlace(self._folder)

    def _is_mistake(self, error: Exception) -> bool:
        """Tell whether no folder can ever be made there. What stands in the way inside a folder that is there may be removed."""
        if not isinstance(error, OSError) or error.errno not in LASTING:
            return False
        if error.errno == errno.ENAMETOOLONG:  # nor can anything be asked of it
            return True
        is_within = self._folder.is_dir() and error.errno in {errno.ENOTDIR, errno.EEXIST}
        return not is_within and not any(map(_is_dangling, (self._folder, *self._folder.parents)))


def _is_dangling(path: Path) -> bool:
    """Tell whether this is a link to what may be mounted later."""
    return path.is_symlink() and not path.exists()
