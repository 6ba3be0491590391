"""Dead letters that a person names by the first digits of their event ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from stamp.errors import InputError
from stamp.runtime.graveyard import Dead

__all__ = ["Choice", "grouped", "identified", "named"]

TOGETHER: Final = 100
"""How many letters are replayed or discarded at once."""

SHOWN: Final = 5
"""How many of those that a name fits are told."""

_DIGITS: Final = re.compile(r"[0-9a-f]{1,32}")


def identified(ids: Sequence[str]) -> tuple[str, ...]:
    """Return the first digits of event ids as they are written everywhere: `3F2A-90` is `3f2a90`.

    Raises:
        InputError: one is none.
    """
    digits = [each.strip().lower().replace("-", "") for each in ids]
    for each, given in zip(digits, ids, strict=True):
        if _DIGITS.fullmatch(each) is None:
            raise InputError(f"expected the first digits of an event id, such as 3f2a90, got {given!r}")
    return tuple(digits)


class Choice(NamedTuple):
    """The letters that were named; `unknown` are names of none."""

    letters: Sequence[Dead]
    unknown: Sequence[str]


def named(found: Iterable[Dead], ids: Sequence[str]) -> Choice:
    """Return the letters that `ids` name, of those that were found.

    Raises:
        InputError: one of them names several.
    """
    letters = list(found)
    unknown = []
    for digits in ids:
        keys = {(each.message.event_id.hex(), each.queue) for each in letters if _is_named(each, digits)}
        if not keys:
            unknown.append(digits)
        elif len(keys) > 1:
            raise _ambiguous(digits, sorted(keys))
    return Choice([each for each in letters if any(_is_named(each, digits) for digits in ids)], unknown)


def _is_named(dead: Dead, digits: str) -> bool:
    return dead.message.event_id.hex().startswith(digits)


def _ambiguous(digits: str, keys: Sequence[tuple[str, str]]) -> InputError:
    shown = [f"{event_id} of {queue}" for event_id, queue in keys[:SHOWN]]
    more = [f"{len(keys) - SHOWN} more"] if len(keys) > SHOWN else []
    how = "more of its digits" if len({event_id for event_id, _ in keys}) > 1 else "its queue, with --queue"
    text = f"expected the id of one dead letter, got {digits!r}, which fits {', '.join([*shown, *more])}: say {how}"
    return InputError(text)


def grouped(found: Iterable[Dead]) -> Iterator[Sequence[Dead]]:
    """Yield letters as they come, some at a time."""
    group: list[Dead] = []
    for dead in found:
        group.append(dead)
        if len(group) == TOGETHER:
            yield group
            group = []
    if group:
        yield group
