"""What lies in a store: work that nobody does, events that nobody gets, letters that nobody has decided about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from stamp.errors import NoStoreError, StoreError
from stamp.runtime.doctor.contracts import gone
from stamp.runtime.doctor.diagnosis import Diagnosis, State, judged, ok, problem, warning
from stamp.runtime.reason import CONFLICTS
from stamp.store import directory
from stamp.store.backlog import Backlog, Unknown, Unsent, backlog, dead, unknown_schemas, unsent
from stamp.store.foreign import lacking, odd_rows
from stamp.store.store import Store
from stamp.workflow.announcement import LISTENER

__all__ = ["examine"]

LONG: Final = timedelta(minutes=5)
"""For how long work may wait before somebody should look."""

ABSENT: Final = timedelta(minutes=3)
"""For how long a listener may not have announced itself: its workers do so about once a minute."""

LATE: Final = timedelta(minutes=1)
"""For how long an event may be without a receipt."""

SHARP: Final = timedelta(seconds=5)
"""How far the clocks of two workers may be apart."""

MANY: Final = 10
"""How often an event may be sent before that is a problem."""


def examine(
    url: str, *, consumers: Collection[str] | None, has_broker: bool, clock: Callable[[], int]
) -> Iterator[Diagnosis]:
    """Look at the tables of a store: `consumers` are the queues of the workflow, if one is given, `clock` gives microseconds since 1970 UTC."""
    try:
        store = Store.open(url, create=False)
    except NoStoreError as error:
        yield warning("tables", str(error), "the first worker, or `stamp start`, makes them")
        return
    except StoreError as error:
        yield problem("tables", str(error), "")
        return
    with store:
        try:
            with store.read() as connection:
                if misfits := list(_misfits(connection)):
                    yield from misfits
                    return
                found, waiting, seen = backlog(connection), unsent(connection), _seen(connection)
                unknown, conflicts = unknown_schemas(connection), dead(connection, CONFLICTS)
        except StoreError as error:
            yield problem("tables", str(error), "")
            return
    yield ok("tables", "there, and of the edition of this release")
    now = clock()
    yield from _clock([each.oldest for each in found.values()], now)
    for consumer, each in found.items():
        absent = timedelta(microseconds=now - seen.get(consumer, now))
        is_known = consumers is None or consumer in consumers or consumer in seen
        yield from _consumer(consumer, each, now, is_known=is_known, absent=absent)
    for consumer, missing in unknown.items():
        yield _unknown(consumer, missing)
    for consumer, number in conflicts.items():
        yield _conflict(consumer, number)
    if not found:
        yield ok("backlog", "nothing waits")
    yield _outbox(waiting, now, has_broker=has_broker)


def _misfits(connection: Connection) -> Iterator[Diagnosis]:
    """Look whether tables and rows are such as workers of this release can use: what follows reads them."""
    if missing := lacking(connection):
        yield problem(
            "tables",
            f"they lack what this release needs: {', '.join(missing)}; an early state of stamp made them, or they were not restored whole",
            "have what waits there done by the release that made them; then move them away, and a worker makes new ones",
        )
        return
    for table, count in odd_rows(connection).items():
        yield problem(
            "tables",
            f"rows of {table} that are not of the format of this release: {count:,}",
            f"no worker can use them: have the release that wrote them finish them, or take them out of {table}, with all workers stopped",
        )


def _clock(arrived: Iterable[int | None], now: int) -> Iterator[Diagnosis]:
    ahead = timedelta(microseconds=max((each - now for each in arrived if each is not None), default=0))
    if ahead > SHARP:
        yield warning("clock", f"work has arrived {_told(ahead)} from now", "keep the clocks of all machines with NTP")


def _seen(connection: Connection) -> Mapping[str, int]:
    """Return when each listener was last announced, by its queue."""
    return {
        f"{workflow}.{key.removeprefix(LISTENER)}": each.announced_at
        for workflow in directory.workflows(connection)
        for key, each in directory.read(connection, workflow, prefix=LISTENER).items()
    }


def _consumer(consumer: str, each: Backlog, now: int, *, is_known: bool, absent: timedelta) -> Iterator[Diagnosis]:
    waited = timedelta() if each.oldest is None else timedelta(microseconds=now - each.oldest)
    workflow, _, name = consumer.partition(".")
    step = name or consumer
    found = f"{each.waiting:,} wait, {each.at_work:,} at work"
    if each.oldest is not None:
        found += f"; the first has been there for {_told(waited)}"
    if each.oldest is not None and absent > ABSENT:
        advice = f"run it: stamp run ... --step {step}; or {gone(workflow, step, '--store ...')}"
        yield warning(consumer, f"{found}; no worker has announced itself for {_told(absent)}", advice)
    elif not is_known:
        yield warning(
            consumer, found, "no step of the workflow has this queue: was it renamed, or is its contract missing?"
        )
    else:
        yield judged(
            consumer, found, {State.WARNING: waited > LONG}, f"does somebody run it? stamp run ... --step {step}"
        )
    if each.dead:
        yield warning(consumer, f"{each.dead:,} dead letters", f"see them: stamp dlq list --queue {consumer}")


def _unknown(consumer: str, missing: Unknown) -> Diagnosis:
    error = missing.error.partition(": ")[2]
    return warning(consumer, f"{missing.messages:,} of them wait for a schema that is not known", error)


def _conflict(consumer: str, number: int) -> Diagnosis:
    found = f"{number:,} of its dead letters have an id under which other content was taken before"
    advice = "see who else publishes to it: stamp dlq list"
    return problem(consumer, found, f"{advice} --queue {consumer}, reasons {' and '.join(CONFLICTS)}")


def _outbox(waiting: Unsent, now: int, *, has_broker: bool) -> Diagnosis:
    if waiting.oldest is None:
        return ok("outbox", "empty")
    age = timedelta(microseconds=now - waiting.oldest)
    found = f"{waiting.events:,} without a receipt, the first for {_told(age)}, sent {waiting.sends:,} times at most"
    if not has_broker:
        return problem("outbox", found, "they wait for a broker: give the workers the --broker that they had before")
    states = {State.PROBLEM: waiting.sends >= MANY, State.WARNING: age > LATE}
    return judged(
        "outbox",
        found,
        states,
        "see whether the workers of their listeners run, and have this store where the broker loses events",
    )


def _told(time: timedelta) -> str:
    return str(timedelta(seconds=max(round(time.total_seconds()), 0)))
