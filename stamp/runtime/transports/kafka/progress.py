"""How far the work on one partition is.

Kafka knows one number for each partition: where to go on. So that number is the first message that is not acknowledged, never one
behind it. What was acknowledged behind it stands beside the number, in the text that Kafka keeps with a commit, and does not come
again; Confluent's parallel consumer does the same. Where there is no room for that text, it does come again, which is harmless.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["Mark", "Progress", "undone"]

SIGN: Final = "stamp1"
LONGEST: Final = 4_000
"""Bytes of the text. Kafka takes 4,096 unless told otherwise."""


class Mark(NamedTuple):
    """What is committed: the offset to go on at, and which ones before `end` are still to be done, as text."""

    offset: int
    text: str = ""


class Progress:
    """A partition as long as it is assigned to us, from the commit that it begins with. Offsets only grow, with gaps in between."""

    def __init__(self, committed: Mark | None = None) -> None:
        self._committed = committed
        self._todo, self._known = ((), 0) if committed is None else _read(committed)
        self._open: dict[int, int] = {}
        self._end = 0 if committed is None else committed.offset

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, offset: int) -> bool:
        """Tell whether a message was begun and is not done."""
        return offset in self._open

    @property
    def size(self) -> int:
        """Bytes of the messages that were begun and are not done."""
        return sum(self._open.values())

    def begin(self, offset: int, size: int = 0) -> bool:
        """Begin a message of `size` bytes that was polled, or say that it was done before."""
        self._end = max(self._end, offset + 1)
        if offset < self._known and offset not in self._todo:
            return False
        self._open[offset] = size
        return True

    def finish(self, offset: int) -> None:
        """Note that a message is done; what is not open is passed over."""
        self._open.pop(offset, None)

    @property
    def uncommitted(self) -> Mark | None:
        """What is to be committed now; None if that is committed already, or nothing was polled."""
        mark = _write(list(self._open), self._end, self._later())
        return mark if self._end and mark != self._committed else None

    def commit(self, mark: Mark) -> None:
        """Note that `mark` is committed."""
        self._committed = mark

    def _later(self) -> tuple[tuple[int, ...], int]:
        """Return what the commit that we began with says of offsets that were not polled yet."""
        return tuple(each for each in self._todo if each >= self._end), self._known


def undone(mark: Mark, end: int) -> int:
    """Return how many messages before `end` are not done, when `mark` is committed."""
    todo, known = _read(mark)
    return len(todo) + max(0, end - max(known, mark.offset)) if known else max(0, end - mark.offset)


def _write(open_: list[int], end: int, later: tuple[tuple[int, ...], int]) -> Mark:
    todo, known = (*open_, *later[0]), max(end, later[1])
    offset = todo[0] if todo else known
    if len(todo) == known - offset:  # nothing is done behind the first that is not
        return Mark(offset)
    steps = [after - before for before, after in pairwise(todo)]
    text = f"{SIGN} {known - offset} {','.join(map(str, steps))}"
    while len(text) > LONGEST:
        steps = steps[: len(steps) * 3 // 4]
        text = f"{SIGN} {sum(steps) + 1} {','.join(map(str, steps))}"
    return Mark(offset, text)


def _read(mark: Mark) -> tuple[tuple[int, ...], int]:
    """Return which offsets before which end are to be done, as the text says; it may be somebody else's."""
    sign, _, rest = mark.text.partition(" ")
    length, _, steps = rest.partition(" ")
    try:
        todo = [mark.offset]
        for step in map(int, filter(None, steps.split(","))):
            todo.append(todo[-1] + step)
        end = mark.offset + int(length)
    except ValueError:
        return (), 0
    return (tuple(todo), end) if sign == SIGN else ((), 0)
