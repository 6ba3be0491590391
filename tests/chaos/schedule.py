"""When what happens: always the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from stamp.runtime.points import POINTS

__all__ = ["Blow", "End", "Life", "blows", "lives"]


class End(StrEnum):
    """How a worker dies."""

    ANY_TIME = "at any time"
    POINT = "at a point"
    PAUSE = "after a pause"


SHARES: Final = {End.ANY_TIME: 0.42, End.POINT: 0.5, End.PAUSE: 0.08}
LONGEST_LIFE: Final = 2.0
"""How long a worker that is killed at any time lives at most, in seconds."""
OVERDUE: Final = 4.0
"""After how many seconds one that does not get to its point is killed all the same."""
PASSINGS: Final = 25
"""How often a point is passed by works, or else by groups of them, before somebody dies there at most: a group may be one work."""

ALONE: Final = tuple(point for point in POINTS if point.endswith((" handle", " commit")))
"""The points that a worker without a broker passes."""

KILLS_A_SERVER: Final = 50
KILLS_A_CUT: Final = 20
"""For how many killed workers one server is killed, and one wire cut."""


class Life(NamedTuple):
    """A worker's life: what ends or interrupts it comes when `point` is passed for the `passing`th time, and `after` seconds of work at the latest."""

    end: End
    after: float
    point: str = ""
    passing: int = 0


class Blow(NamedTuple):
    """What happens to a server when so many workers, of one, have been killed."""

    at: float
    part: str
    how: str


def lives(seed: int, count: int, *, broker: bool) -> Iterator[Life]:
    """Yield the lives of `count` workers. Every point has its turn before one has its second."""
    dice, points = Random(f"{seed}:lives"), _points(Random(f"{seed}:points"), POINTS if broker else ALONE)
    # In this order from the start: also a few lives end in every way.
    for number in range(count):
        end = list(End)[number % 3] if number < 3 else dice.choices(list(SHARES), list(SHARES.values()))[0]
        if end is End.ANY_TIME:
            yield Life(end, dice.uniform(0.05, LONGEST_LIFE))
        else:
            # Who falls asleep before a handler has works and no transaction: others take the works and do them.
            point = next(points) if end is End.POINT else "before handle"
            yield Life(end, OVERDUE, point, dice.randint(1, PASSINGS))


def blows(seed: int, kills: int, parts: Sequence[str]) -> Sequence[Blow]:
    """Return what happens to servers, in its order."""
    dice = Random(f"{seed}:blows")
    each = [(part, how, every) for part in parts for how, every in (("killed", KILLS_A_SERVER), ("cut", KILLS_A_CUT))]
    return sorted(
        Blow((number + dice.uniform(0.1, 0.9)) / count, part, how)
        for part, how, every in each
        for count in [max(1, kills // every)]
        for number in range(count)
    )


def _points(dice: Random, points: Sequence[str]) -> Iterator[str]:
    while True:
        yield from dice.sample(points, len(points))
