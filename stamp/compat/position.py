"""Where each value of a JSON document stands in its text."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

__all__ = ["Position", "positions", "step"]


class Position(NamedTuple):
    """A place in a text; both count from 1, columns in characters."""

    line: int
    column: int


def step(key: str | int) -> str:
    """Return one step of a JSON pointer (RFC 6901) into an object or a list."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


def positions(text: str) -> Mapping[str, Position]:
    """Return where each value of a JSON document begins, by its JSON pointer. The text has been parsed before."""
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    return {
        pointer: Position(line := bisect_right(lines, at), at - lines[line - 1] + 1) for pointer, at in _offsets(text)
    }


_WORD: Final = re.compile(r'[][{}]|"[^"\\]*(?:\\.[^"\\]*)*"|[^][{}",:\s]+')
"""A bracket, a string or another scalar: what tells where values are, commas and colons being where they must."""


class _Container:
    """An object or list that is being read, and the key of its next value; an object has none before it is read."""

    __slots__ = ("is_list", "key", "pointer")

    def __init__(self, pointer: str, *, is_list: bool) -> None:
        self.pointer = pointer
        self.is_list = is_list
        self.key: str | int | None = 0 if is_list else None

    def next(self) -> str:
        assert self.key is not None
        pointer = self.pointer + step(self.key)
        self.key = self.key + 1 if isinstance(self.key, int) else None
        return pointer


def _offsets(text: str) -> Iterator[tuple[str, int]]:
    around: list[_Container] = []
    for found in _WORD.finditer(text):
        word = found[0]
        if word in {"}", "]"}:
            around.pop()
        elif around and around[-1].key is None:
            around[-1].key = json.loads(word)
        else:
            pointer = around[-1].next() if around else ""
            yield pointer, found.start()
            if word in {"{", "["}:
                around.append(_Container(pointer, is_list=word == "["))
