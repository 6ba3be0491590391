"""The union of what parallel branches of one workflow have contributed.

Law: `merge` is commutative and associative, and idempotent on what it gives and on what steps append, so any set of events of one
run gives one history in one order. The order is causal; between contributions that do not depend on each other the earlier `completed_at` comes first, then the smaller id.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from stamp.envelope.contribution import Contribution

__all__ = ["causal_order", "union"]


def union(contributions: Iterable[tuple[Contribution, bytes]]) -> list[bytes]:
    """Return the bytes of the distinct contributions in causal order; each comes with its bytes, which stay as they are.

    Two with one id are the same work done twice (ids are deterministic): the one that was completed first is kept, and of two
    completed in the same microsecond the one whose bytes are smaller.
    """
    kept: dict[bytes, tuple[Contribution, bytes]] = {}
    for each, data in contributions:
        known = kept.get(each.event_id)
        if known is None or (each.completed_at, data) < (known[0].completed_at, known[1]):
            kept[each.event_id] = each, data
    return [kept[each.event_id][1] for each in causal_order(each for each, _ in kept.values())]


def causal_order(contributions: Iterable[Contribution]) -> list[Contribution]:
    """Return contributions with distinct ids so that causes come before what they caused.

    Causes that are not among the contributions are not waited for; nor are those in a circle, which only forgery can build.
    """
    by_id = {each.event_id: each for each in contributions}
    waits = {i: {cause for cause in each.causes if cause in by_id and cause != i} for i, each in by_id.items()}
    unblocks: dict[bytes, list[bytes]] = {i: [] for i in by_id}
    for i, causes in waits.items():
        for cause in causes:
            unblocks[cause].append(i)
    ready = [(by_id[i].completed_at, i) for i, causes in waits.items() if not causes]
    heapify(ready)
    order = []
    while ready or waits:
        if not ready:
            heappush(ready, min((by_id[i].completed_at, i) for i in waits))
        _, i = heappop(ready)
        if waits.pop(i, None) is None:
            continue
        order.append(by_id[i])
        for waiting in unblocks[i]:
            if waiting in waits:
                waits[waiting].discard(i)
                if not waits[waiting]:
                    heappush(ready, (by_id[waiting].completed_at, waiting))
    return order
