"""What is in the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from expected import Effect, Left, Letter, Outcome
from sqlalchemy import Connection, text
from tickets import LEDGER

from stamp.errors import StoreError
from stamp.store import dead_letters, finals
from stamp.store.store import Store

__all__ = ["Calls", "Counts", "calls", "count", "find", "prepare", "sends"]

COUNTED: Final = (
    "SELECT count(*) FROM chaos_ledger",
    "SELECT count(*) FROM stamp_final",
    "SELECT count(*) FROM stamp_dead_letter",
    "SELECT count(*) FROM stamp_inbox WHERE state < 2",
    "SELECT count(*) FROM stamp_outbox",
)


class Counts(NamedTuple):
    """How much there is: of what runs leave, and of what still has to be done or sent."""

    effects: int
    finals: int
    letters: int
    unfinished: int
    unsent: int

    def has_all(self, expected: Left) -> bool:
        """Tell whether nothing is missing by number, and nothing is left to do."""
        wanted = (expected.effects.total(), expected.finals.total(), expected.letters.total())
        return not self.unfinished and not self.unsent and all(map(int.__ge__, self[:3], wanted))


class Calls(NamedTuple):
    """Calls of handlers: `total`, how many works they were for, and how many works were called with more than one id."""

    total: int
    works: int
    confused: int


def prepare(store: Store) -> None:
    """Create the ledger."""
    with store.begin() as tx:
        tx.execute(text(LEDGER))


def count(store: Store) -> Counts | None:
    """Return how much there is; None while the database is down."""
    try:
        with store.read() as connection:
            return Counts(*(connection.execute(text(each)).scalar_one() for each in COUNTED))
    except StoreError:
        return None


def find(store: Store) -> tuple[Left, Mapping[str, set[str]]]:
    """Return all that runs have left, and the ids of the effects of each work."""
    left, ids = Left(), dict[str, set[str]]()
    with store.read() as connection:
        for run, step, event, event_id, result in connection.execute(text("SELECT * FROM chaos_ledger")):
            left.effects[Effect(run, step, event, result)] += 1
            ids.setdefault(f"{run} {step} {event}", set()).add(event_id)
        for message in finals.find(connection, workflow="ticket"):
            left.finals[Outcome(message.workflow_id, message.event)] += 1
        for each in _letters(connection):
            left.letters[each] += 1
    return left, ids


def _letters(connection: Connection) -> list[Letter]:
    return [
        Letter(each.message.workflow_id, each.consumer.removeprefix("ticket."), each.letter.reason)
        for each in dead_letters.find(connection)
    ]


def calls(file: Path) -> Calls:
    """Read the calls of handlers, each of which is a line: run, step, event, attempt, id."""
    lines = [line.split(" ") for line in file.read_text().splitlines()]
    ids: dict[tuple[str, ...], set[str]] = {}
    for *work, _attempt, event_id in lines:
        ids.setdefault(tuple(work), set()).add(event_id)
    return Calls(len(lines), len(ids), sum(len(each) > 1 for each in ids.values()))


def sends(file: Path) -> tuple[int, int]:
    """Return how many parcels were handed to the broker, and how many of them again."""
    if not file.exists():
        return 0, 0
    lines = [line.split() for line in file.read_text().splitlines()]
    return sum(int(all_) for all_, _ in lines), sum(int(again) for _, again in lines)
