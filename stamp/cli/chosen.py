"""Dead letters that a person names: by ids, or by what they have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from stamp.errors import InputError
from stamp.runtime.graveyard import Dead, Graveyard, Wanted

__all__ = ["Choice", "every", "grouped", "identified", "key", "named", "without_body"]

Key: TypeAlias = tuple[str, bytes]
"""What tells a dead letter from others: its queue and its event id."""

TOGETHER: Final = 100
"""How many letters are replayed or discarded at once."""

SHOWN: Final = 5
"""How many of those that a name fits are told."""


_DIGITS: Final = re.compile(r"[0-9a-f]{1,32}")


class Choice(NamedTuple):
    """What a person has chosen; `unknown` are ids that name nothing."""

    keys: Collection[Key]
    unknown: Sequence[str] = ()


def every(graveyard: Graveyard, wanted: Wanted) -> Choice:
    """Return all letters that are wanted."""
    return Choice({key(dead) for dead in graveyard.find(wanted)})


def named(graveyard: Graveyard, wanted: Wanted) -> Choice:
    """Return the letters that the ids in `wanted` name.

    Raises:
        InputError: one of them names several.
    """
    found = every(graveyard, wanted).keys
    fitting = {digits: {each for each in found if each[1].hex().startswith(digits)} for digits in wanted.ids}
    keys = {_only(keys, digits) for digits, keys in fitting.items() if keys}
    return Choice(keys, [digits for digits, keys in fitting.items() if not keys])


def _only(keys: Collection[Key], digits: str) -> Key:
    if len(keys) == 1:
        return next(iter(keys))
    shown = [f"{event_id.hex()} of {queue}" for queue, event_id in sorted(keys)]
    more = [f"{len(shown) - SHOWN} more"] if len(shown) > SHOWN else []
    how = "its queue, with --queue" if len({event_id for _, event_id in keys}) == 1 else "more of its digits"
    raise InputError(
        f"expected the id of one dead letter, got {digits!r}, which fits {', '.join([*shown[:SHOWN], *more])}: say {how}"
    )


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


def key(dead: Dead) -> Key:
    """Return what a letter is known by."""
    return dead.queue, dead.message.event_id


def without_body(dead: Dead) -> Dead:
    """Return a letter that can be kept in memory with many others."""
    return dead._replace(message=dead.message._replace(body=b""), tag=None)


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
