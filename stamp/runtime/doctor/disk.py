"""What can be wrong with the disk of a file."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem

__all__ = ["examine", "file_system"]

REMOTE: Final = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ceph|glusterfs|lustre|ncpfs|beegfs|gpfs|davfs|fuse\.(sshfs|s3fs|gcsfuse|rclone|glusterfs|ceph\w*)"
)
"""Types of file systems, as Linux names them, on which nobody may rely on locks or on what is mapped into memory."""

UNSURE: Final = re.compile(r"fuse\..*|virtiofs|vboxsf|prl_fs|fakeowner|tmpfs|ramfs")
"""Those of which a part is of this kind, and those that are gone when the machine starts anew."""

LITTLE: Final = 1 << 30
NONE: Final = 100 << 20
"""Bytes that are free."""


def examine(folder: Path) -> Iterator[Diagnosis]:
    """Look at the file system of a folder."""
    kind = file_system(folder)
    if kind is None:
        yield ok("file system", "this system does not tell; it has to be a disk of this machine")
    elif REMOTE.fullmatch(kind):
        advice = "use a disk of this machine: over a network locks do not hold, and files are damaged"
        yield problem("file system", kind, advice)
    else:
        advice = "use a disk of this machine: this may be in memory, or over a network"
        yield judged("file system", kind, {State.WARNING: bool(UNSURE.fullmatch(kind))}, advice)
    free = shutil.disk_usage(folder).free
    states = {State.PROBLEM: free < NONE, State.WARNING: free < LITTLE}
    yield judged(
        "free space", f"{free / 2**20:,.0f} MiB", states, "make room: without any, nothing is committed any more"
    )
    if not os.access(folder, os.W_OK):
        yield problem(
            "folder",
            f"{folder} cannot be written",
            "let the user of the workers write there: files appear beside the database",
        )


def file_system(folder: Path) -> str | None:
    """Return the type of the file system that a folder is on, None where the system does not tell."""
    mounts = Path("/proc/self/mounts")
    if not mounts.is_file():
        return None
    target, best = folder.resolve(), (0, "")
    for line in mounts.read_text(errors="replace").splitlines():
        _, point, kind, *_ = line.split(" ")
        place = Path(re.sub(r"\\\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point))
        if target.is_relative_to(place):
            best = max((len(place.parts), kind), best, key=lambda found: found[0])  # of two in one place the later one
    return best[1] or None
