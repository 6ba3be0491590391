"""Documents of workflows in a folder.

    documents/<workflow>/<digest of the key>@<time>-<id>

A file has the key in its first line, as in a URL: it may be longer than the name of a file. Whatever is written gets a name that there never was, so names alone tell whether something has changed. Times of files would not: two changes
may fall into one tick of the clock. Of the files of one key the last one counts. The others stay for a while, because whoever lists a
folder while one file takes the place of another may see neither.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import quote, unquote
from uuid import uuid4

from stamp.runtime.transports.filesystem.files import make_folder, read, sync, write

__all__ = ["Documents"]

REPLACED: Final = 60 * 10**9
"""For how many nanoseconds a document stays after another one took its place."""


class Edition(NamedTuple):
    """The file of a document; `at` is in nanoseconds since 1970 UTC, and after all files of before."""

    digest: str
    at: int
    id: str

    @classmethod
    def parsed(cls, name: str) -> Self | None:
        """Read a name; None if it is not one of ours."""
        match = re.fullmatch(r"([0-9a-f]{32})@([0-9]{20})-([0-9a-f]{32})", name)
        return match and cls(match[1], int(match[2]), match[3])

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.digest}@{self.at:020}-{self.id}"


class Documents:
    """The documents of `workflow` in `folder`; files are made in `tmp`."""

    def __init__(self, folder: Path, tmp: Path, workflow: str) -> None:
        self._folder = folder / f"{quote(workflow, safe='')}.workflow"
        self._tmp = tmp

    def version(self) -> Hashable:
        """Return the names of all files."""
        return frozenset(self._names())

    def read(self) -> Mapping[str, str]:
        """Return the last document of each key."""
        files = [self._folder / editions[-1].name for editions in self._editions().values()]
        found = [read(file).decode(errors="replace").partition("\n") for file in files]
        return {unquote(key): text for key, _, text in found}

    def write(self, documents: Mapping[str, str]) -> None:
        """Write documents, each to a file that gets into the folder when it is complete."""
        make_folder(self._folder.parent)
        make_folder(self._folder)
        latest = max((each[-1].at for each in self._editions().values()), default=0)
        at, id_ = max(time.time_ns(), latest + 1), uuid4().hex
        for key, text in documents.items():
            name = Edition(sha256(key.encode()).hexdigest()[:32], at, id_).name
            write(self._tmp / name, f"{quote(key, safe='')}\n{text}".encode())
            (self._tmp / name).rename(self._folder / name)
        sync([self._folder, *self._folder.parents[:2]])
        self._remove_replaced()

    def _remove_replaced(self) -> None:
        """Remove documents in whose place another one has been for long enough."""
        now = time.time_ns()
        for editions in self._editions().values():
            for earlier, later in pairwise(editions):
                if later.at < now - REPLACED:
                    (self._folder / earlier.name).unlink(missing_ok=True)

    def _editions(self) -> Mapping[str, list[Edition]]:
        """Return what there is of each key, by its digest, the last one last."""
        found: defaultdict[str, list[Edition]] = defaultdict(list)
        for edition in sorted(filter(None, map(Edition.parsed, self._names()))):
            found[edition.digest].append(edition)
        return found

    def _names(self) -> Sequence[str]:
        try:
            return [each.name for each in os.scandir(self._folder) if each.is_file(follow_symlinks=False)]
        except FileNotFoundError:  # nobody has written anything yet
            return ()
