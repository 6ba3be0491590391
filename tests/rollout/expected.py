"""What every run must leave behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from found import Found
from modules import END, OWN, REJECTED, ROOT
from system import Run

from examples.ticket.validation import Ticket, find_objection

__all__ = ["Expected"]


def _ends() -> Sequence[str]:
    """Return how a run ends, for each line of the tickets."""
    lines = (ROOT / "examples" / "ticket" / "tickets.jsonl").read_bytes().splitlines()
    tickets = [Ticket.model_validate({"tags": [], "order_number": None, **json.loads(line)}) for line in lines]
    return [END if find_objection(ticket) is None else REJECTED for ticket in tickets]


@dataclass
class Expected:
    """Which steps must hear of a run: those of the example, and others of runs with some end that start while they are there, `since` and `until` a time."""

    since: dict[tuple[str, str], float] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)
    ends: Sequence[str] = field(default_factory=_ends)

    def add(self, hears: Mapping[str, str], at: float) -> None:
        """From a time on, these steps hear of all runs that end like this."""
        self.since |= dict.fromkeys(hears.items(), at)

    def drop(self, steps: Sequence[str], at: float) -> None:
        """From a time on, these steps are not there."""
        self.until |= dict.fromkeys(steps, at)

    def lacks(self, run: Run, found: Found) -> Iterator[str]:
        """Yield what is missing of a run: effects by their steps, and its end."""
        end = self.ends[run.ticket]
        yield from (step for step in self._steps(run, end) if not found.effects[run.id, step])
        if found.finals[run.id, end] == 0:
            yield end

    def _steps(self, run: Run, end: str) -> Iterator[str]:
        yield from OWN if end == END else OWN[:1]
        for (step, of), since in self.since.items():
            if of == end and since <= run.at < self.until.get(step, inf):
                yield step
