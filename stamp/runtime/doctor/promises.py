"""What a broker does not promise, and what makes up for it."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, warning
from stamp.runtime.transport import Promises

__all__ = ["examine"]


def examine(promises: Promises, *, largest: int, has_store: bool, is_shared: bool) -> Iterator[Diagnosis]:
    """Look at what a broker promises, beside a store that services on several machines can share, or cannot; `largest` is in bytes."""
    if not promises.between_processes:
        yield problem(
            "processes",
            "it lives within one process",
            "use another broker, or none: workers with one store need no broker",
        )
    yield _confirms(promises, has_store=has_store, is_shared=is_shared)
    if promises.redelivers is None:
        yield problem("redelivery", "what a consumer held that died does not come again", "use another broker")
    else:
        yield ok("redelivery", f"what a consumer held that died comes again within {promises.redelivers:g} s")
    advice = "declare queues before anything is published, and watch the outbox"
    yield judged(
        "missing queues",
        "are noticed" if promises.returns else "are not noticed",
        {State.WARNING: not promises.returns},
        advice,
    )
    if not has_store and not promises.buries:
        yield problem("dead letters", "it has no queues for them", "give workers a store")
    advice = "give the workflow smaller limits, or use another broker"
    found = f"up to {promises.largest:,} bytes"
    yield judged("size of events", found, {State.PROBLEM: promises.largest < largest}, advice)


def _confirms(promises: Promises, *, has_store: bool, is_shared: bool) -> Diagnosis:
    if promises.keeps:
        return ok("promise", "what it has confirmed survives its death")
    lost = "what it has confirmed may be lost"
    if not has_store:
        return problem("promise", lost, "give workers a store: it sends again what is not known to have arrived")
    if not is_shared:
        text = "the store sends it again, as long as those who listen have the same file; for services on several machines share a postgresql://"
        return warning("promise", lost, text)
    return ok("promise", f"{lost}; the store sends it again, if those who listen have the same one")
