"""Where the boxes of a layered drawing go: in which order in their row, and how far to the right.

Rows are ordered by the means of their neighbours (Sugiyama, Tagawa and Toda 1981). Each row is then moved as little as possible from
where its neighbours want it, so that nothing overlaps: a regression that keeps an order, solved exactly by pooling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple, TypeAlias

__all__ = ["Link", "centres"]

ORDERING: Final = 8
SWEEPS: Final = 300
"""How often rows are put in order, and how often they are moved at most."""

STILL: Final = 0.05
"""px; when nothing moves farther, nothing moves any more."""

FAINT: Final = 1e-6
"""The weight of a box that nothing pulls."""

Near: TypeAlias = Mapping[str, Sequence[tuple[str, float]]]


class Link(NamedTuple):
    """Two boxes, of rows that follow one another, that should be above one another: the more the `weight`, the more so."""

    one: str
    other: str
    weight: float = 1.0


def centres(
    rows: Iterable[Sequence[str]], links: Iterable[Link], widths: Mapping[str, float], *, gap: float
) -> dict[str, float]:
    """Return the x of the centre of each box, so that between two of one row there is at least `gap`."""
    near = _near(links)
    ordered = [list(row) for row in rows]
    found = {name: x for row in ordered for name, x in _placed(row, {}, near, widths=widths, gap=gap)}
    for sweep in range(SWEEPS):
        before = dict(found)
        for row in ordered if sweep % 2 == 0 else reversed(ordered):
            if sweep < ORDERING:
                row.sort(key=lambda name: _wanted(name, found, near))
            found.update(_placed(row, found, near, widths=widths, gap=gap))
        if sweep >= ORDERING and all(abs(found[name] - before[name]) < STILL for name in found):
            break
    return found


def _near(links: Iterable[Link]) -> Near:
    near: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for one, other, weight in links:
        near[one].append((other, weight))
        near[other].append((one, weight))
    return near


def _wanted(name: str, found: Mapping[str, float], near: Near) -> float:
    """Return where the neighbours of a box want it, or where it is if it has none."""
    pulls = [(found[each], weight) for each, weight in near.get(name, ()) if each in found]
    weights = sum(weight for _, weight in pulls)
    return sum(x * weight for x, weight in pulls) / weights if pulls else found.get(name, 0.0)


def _placed(
    row: Sequence[str], found: Mapping[str, float], near: Near, *, widths: Mapping[str, float], gap: float
) -> Iterator[tuple[str, float]]:
    """Yield boxes with the places as near to where they are wanted as their order and the gaps allow."""
    steps = ((widths[one] + widths[other]) / 2 + gap for one, other in pairwise(row))
    offsets = dict(zip(row, accumulate(steps, initial=0.0), strict=False))
    weights = {name: sum((weight for _, weight in near.get(name, ())), FAINT) for name in row}
    levels = _ascending((_wanted(name, found, near) - offsets[name], weights[name]) for name in row)
    yield from ((name, level + offsets[name]) for name, level in zip(row, levels, strict=True))


def _ascending(values: Iterable[tuple[float, float]]) -> list[float]:
    """Return the ascending values that are nearest to these, by the sum of squares with their weights (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in values:
        mean, total, size = value, weight, 1
        while pools and pools[-1][0] > mean:
            before, more, count = pools.pop()
            mean, total, size = (before * more + mean * total) / (more + total), more + total, count + size
        pools.append((mean, total, size))
    return [mean for mean, _, size in pools for _ in range(size)]
