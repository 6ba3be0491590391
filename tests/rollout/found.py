"""What services have left: effects, final events, dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import text

from stamp.store import dead_letters, finals
from stamp.store.store import Store

__all__ = ["Found", "Letter", "find"]

UNFINISHED: Final = "SELECT (SELECT count(*) FROM stamp_inbox WHERE state < 2) + (SELECT count(*) FROM stamp_outbox)"


class Letter(NamedTuple):
    """A dead letter: of which run, for which step, and why."""

    run: str
    step: str
    reason: str
    error: str


@dataclass
class Found:
    """How often each effect is there, by run and step; the final events by run; what is unfinished."""

    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    finals: Counter[tuple[str, str]] = field(default_factory=Counter)
    letters: set[Letter] = field(default_factory=set)
    unfinished: int = 0

    @property
    def failures(self) -> set[tuple[str, str]]:
        """The runs that have a failure event, and which."""
        return {(run, event) for run, event in self.finals if event.endswith(".failed")}

    @property
    def doubled(self) -> Counter[tuple[str, str]]:
        """Effects that are there more than once, and how much more."""
        return Counter({each: times - 1 for each, times in self.effects.items() if times > 1})


def find(stores: Iterable[Store], workflow: str) -> Found:
    """Look into all stores. Each event is a final one once, however many stores keep it."""
    found, ends = Found(), dict[bytes, tuple[str, str]]()
    for store in stores:
        with store.read() as connection:
            found.effects.update((run, step) for run, step in connection.execute(text("SELECT * FROM rollout_effect")))
            found.unfinished += connection.execute(text(UNFINISHED)).scalar_one()
            ends |= {each.event_id: (each.workflow_id, each.event) for each in finals.find(connection)}
            found.letters.update(
                Letter(
                    each.message.workflow_id,
                    each.consumer.removeprefix(f"{workflow}."),
                    each.letter.reason,
                    each.letter.error_message,
                )
                for each in dead_letters.find(connection)
            )
    found.finals.update(ends.values())
    return found
