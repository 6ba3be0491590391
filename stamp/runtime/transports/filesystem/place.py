"""Queues in a folder.

    tmp/                              what is being written
    waiting/<queue>/<time>.<n>        messages to be taken, which were given out n times
    taken/<holder>/<queue>/<time>.<n>
    taken/<holder>/lock
    documents/                        what services leave for each other

As in a maildir, to publish and to take is to rename, which happens as a whole and succeeds for one only.
"""

from __future__ import annotations

import errno
import glob
import logging
import os
import time
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from stamp.runtime.transport import PREFETCH_BYTES
from stamp.runtime.transports.filesystem.documents import Documents
from stamp.runtime.transports.filesystem.files import (
    discard,
    is_folder,
    make_folder,
    make_root,
    must_be_ours,
    read,
    remove_abandoned,
    size,
    sync,
    write,
)
from stamp.runtime.transports.filesystem.holder import Holder, rescue
from stamp.runtime.transports.virtual.content import Content
from stamp.runtime.transports.virtual.place import Contents, Held
from stamp.runtime.transports.virtual.receiver import BEAT

__all__ = ["FolderPlace"]

LOG: Final = logging.getLogger("stamp.filesystem")

PAUSE: Final = 0.01
"""How long to wait between two looks into the folder, in seconds."""
RELIST: Final = 1.0
"""How long a queue that holds nothing but what is passed over is not listed again, unless something comes or goes, in seconds."""
TOLD: Final = 1_000
"""Of how many files it is told that they are passed over."""


class FolderPlace:
    """One user's way to the queues in `folder`."""

    failures: tuple[type[Exception], ...] = (OSError,)
    beat = BEAT

    def __init__(self, folder: Path) -> None:
        self._waiting, self._taken, self._tmp = (folder / name for name in ("waiting", "taken", "tmp"))
        make_root(folder)
        for each in (self._waiting, self._taken, self._tmp):
            make_folder(each)
        self._documents = folder / "documents"
        self._id = uuid4().hex
        self._time = 0
        self._passed_over: set[str] = set()
        self._listed: defaultdict[Path, deque[str]] = defaultdict(deque)
        self._idle: dict[Path, tuple[int, float]] = {}

    @cached_property
    def _holder(self) -> Holder:
        return Holder(self._taken, self._tmp)

    def create(self, queues: Iterable[str]) -> None:
        """Make the folders of queues."""
        for queue in queues:
            make_folder(self._box(queue))
        sync([self._waiting])

    def there(self, queues: Iterable[str]) -> set[str]:
        """Return the queues that have a folder."""
        return {queue for queue in queues if is_folder(self._box(queue))}

    def remove(self, queue: str, *, discard: bool) -> Contents:
        """Remove the folder of a queue, in one piece: whoever is about to put a message into it fails."""
        box = self._box(queue)
        self.look_after(())
        contents = Contents(_count(box), sum(map(_count, self._taken.glob(f"*/{glob.escape(box.name)}"))))
        if is_folder(box) and contents.may_go(discard=discard):
            waiting = self._take_away(box) if discard else _remove_empty(box)
            contents = contents._replace(waiting=waiting)
            sync([self._waiting])
        return contents

    def put(self, entries: Sequence[tuple[str, Content]]) -> Sequence[bool]:
        """Write messages, each to a file that gets into its queue when it is complete."""
        boxes = {queue: self._box(queue) for queue, _ in entries}
        there = self.there(boxes)
        taken = [queue in there and self._put(boxes[queue], content) for queue, content in entries]
        for queue in there:
            with suppress(FileNotFoundError):  # the queue was removed, and so were its messages
                sync([boxes[queue]])
        return taken

    def take(self, queues: Iterable[str], limit: int, room: int = PREFETCH_BYTES) -> Sequence[Held]:
        """Take messages by moving them to the holder's folder."""
        taken: list[Held] = []
        for queue in queues:
            box = self._box(queue)
            while len(taken) < limit and (name := self._next(box)) is not None:
                bytes_ = size(box / name)
                if bytes_ is None:  # somebody else has it
                    continue
                if taken and bytes_ > room:
                    self._listed[box].appendleft(name)
                    return taken
                path = self._holder.box(box.name) / name
                with suppress(FileNotFoundError):  # somebody else has it
                    (box / name).rename(path)
                    taken.append(Held(queue, Content.unpacked(read(path)), _deliveries(name) + 1, path))
                    room -= bytes_
        return taken

    def done(self, held: Iterable[Held]) -> None:
        """Remove messages. They may come again after a power failure: nobody waits for the disk here."""
        for each in held:
            each.key.unlink(missing_ok=True)

    def move(self, held: Held, queue: str, content: Content) -> bool:
        """Put `content` into `queue`, and only then remove the message."""
        if not self.there([queue]):
            self.create([queue])
        self.put([(queue, content)])
        self.done([held])
        return True

    def give_back(self, held: Iterable[Held]) -> None:
        """Move messages back to where they were."""
        for each in held:
            self._give_back(each.key)

    def look_after(self, held: Sequence[Held]) -> None:
        """Move back what dead consumers had. That we live ourselves is seen from our lock."""
        remove_abandoned(self._tmp)
        for holder in self._taken.glob("*.holder"):
            if holder != self._holder.folder and is_folder(holder):
                rescue(holder, self._give_back)

    def version(self, workflow: str) -> Hashable:
        """Return which files of documents there are."""
        return self._of(workflow).version()

    def documents(self, workflow: str) -> Mapping[str, str]:
        """Read the documents."""
        return self._of(workflow).read()

    def keep(self, workflow: str, documents: Mapping[str, str]) -> None:
        """Write documents to files."""
        self._of(workflow).write(documents)

    def wait(self, timeout: float) -> None:
        """Wait a little."""
        time.sleep(min(timeout, PAUSE))

    def close(self) -> None:
        """Let go of the holder's folder."""
        if "_holder" in vars(self):
            self._holder.close()

    def _put(self, box: Path, content: Content) -> bool:
        """Put a message into a queue, and tell whether the queue was still there."""
        name = self._name()
        made = self._tmp / name
        write(made, content.packed())
        try:
            made.rename(box / name)
        except FileNotFoundError:
            made.unlink()
            return False
        return True

    def _of(self, workflow: str) -> Documents:
        return Documents(self._documents, self._tmp, workflow)

    def _take_away(self, box: Path) -> int:
        """Remove the folder of a queue with its messages, and return how many they were. One that was just being put may be the last of them."""
        removed = box.rename(self._tmp / f"{uuid4().hex}.removed")
        waiting = 0
        while True:
            for path in removed.iterdir():
                waiting += size(path) is not None
                discard(path)
            try:
                removed.rmdir()
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
            else:
                return waiting

    def _box(self, queue: str) -> Path:
        return self._waiting / f"{quote(queue, safe='')}.queue"

    def _name(self) -> str:
        """Return a name that no other message has, and that sorts after those of before."""
        self._time = max(self._time + 1, time.time_ns())
        return f"{self._time:020}-{self._id}.0"

    def _next(self, box: Path) -> str | None:
        """Return the name of a message that was waiting in `box` when it was last listed; list it again when there is none."""
        names = self._listed[box]
        if not names:
            must_be_ours(box)
            names.extend(self._list(box))
        return names.popleft() if names else None

    def _list(self, box: Path) -> Sequence[str]:
        """Return the names of the messages in `box`, in order."""
        changed, until = self._idle.get(box, (None, 0.0))
        modified = box.stat().st_mtime_ns
        if modified == changed and time.monotonic() < until:
            return []
        entries = list(os.scandir(box))
        names = sorted(entry.name for entry in entries if self._is_message(entry))
        if entries and not names:
            self._idle[box] = modified, time.monotonic() + RELIST
        return names

    def _is_message(self, entry: os.DirEntry[str]) -> bool:
        """Tell whether something in a queue is a message. A link, a pipe or a folder is none: it stays where it is, and is told once."""
        is_one = size(Path(entry)) is not None
        if not is_one and os.path.lexists(entry):
            self._tell_of(entry.path)
        return is_one

    def _tell_of(self, path: str) -> None:
        if path in self._passed_over or len(self._passed_over) == TOLD:
            return
        self._passed_over.add(path)
        is_last = len(self._passed_over) == TOLD
        LOG.warning(
            "%s is passed over: expected a regular file with no other name that others may have given it, got something else%s",
            path,
            "; of more such files nothing is said" if is_last else "",
        )

    def _give_back(self, path: Path) -> None:
        """Move a message back to its queue, where it stands before all that came later."""
        box = self._waiting / path.parent.name
        make_folder(box)
        with suppress(FileNotFoundError):  # it is there already
            path.rename(box / _given_out(path.name))


def _count(box: Path) -> int:
    """Return how many messages are in the folder `box`; 0 if it is not there."""
    return sum(size(each) is not None for each in box.glob("*"))


def _remove_empty(box: Path) -> int:
    """Remove the folder of a queue, unless a message has come meanwhile, and return how many messages are in it."""
    with suppress(OSError):
        box.rmdir()
    return _count(box)


def _deliveries(name: str) -> int:
    """Return how often the message in a file of that name was given out; 0 if somebody else has named it."""
    count = name.rpartition(".")[2]
    return int(count) if count.isascii() and count.isdecimal() else 0


def _given_out(name: str) -> str:
    """Return the name that the message has after it was given out once more."""
    stem, _, count = name.rpartition(".")
    return f"{stem}.{int(count) + 1}" if count.isascii() and count.isdecimal() else f"{name}.1"
