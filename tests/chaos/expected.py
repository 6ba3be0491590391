"""What every run must leave behind, found by calling the example's handlers one after the other: nothing of stamp's runtime is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, get_type_hints

import tickets
from pydantic import BaseModel
from root import ROOT
from troubles import Kind, Troubles

from examples.ticket import assignment, billing, intake, notification, resolution, survey, validation

__all__ = ["Effect", "Left", "Letter", "Outcome", "Run", "expect", "runs"]

HANDLERS: Final = {
    "validation": validation.validation,
    "assignment": assignment.assignment,
    "notification": notification.notification,
    "resolution": resolution.resolution,
    "billing": billing.billing,
    "survey": survey.survey,
    "audit": tickets.audit,
    "regret": tickets.regret,
}
EMITTED: Final = {
    "Validated": "TicketValidated",
    "Rejected": "TicketRejected",
    "Assigned": "TicketAssigned",
    "Notified": "CustomerNotified",
    "Resolved": "TicketResolved",
    "Billed": "TicketBilled",
    "Surveyed": "SurveyAnswered",
    "Audited": "TicketAudited",
    "Regretted": "FailureRegretted",
}
LISTENERS: Final[Mapping[str, Sequence[str]]] = {
    "TicketCreated": ["validation"],
    "TicketValidated": ["assignment"],
    "TicketAssigned": ["notification"],
    "CustomerNotified": ["resolution"],
    "TicketResolved": ["billing", "audit"],
    "TicketBilled": ["survey"],
    **{f"{step}.failed": ["regret"] for step in HANDLERS if step != "regret"},
}


class Run(NamedTuple):
    """A run, and what it starts with."""

    id: str
    ticket: intake.Ticket


class Effect(NamedTuple):
    """One row of the ledger: what `step` did with `event`."""

    run: str
    step: str
    event: str
    result: str


class Letter(NamedTuple):
    """A dead letter."""

    run: str
    step: str
    reason: str


class Outcome(NamedTuple):
    """A final event."""

    run: str
    event: str


@dataclass(frozen=True, slots=True)
class Left:
    """What runs leave: effects in the ledger, final events, dead letters; expected or found, each of it once."""

    effects: Counter[Effect] = field(default_factory=Counter)
    finals: Counter[Outcome] = field(default_factory=Counter)
    letters: Counter[Letter] = field(default_factory=Counter)


def runs(count: int) -> Iterator[Run]:
    """Yield as many runs as are wanted: the tickets of the example, again and again."""
    lines = (ROOT / "examples" / "ticket" / "tickets.jsonl").read_text().removesuffix("\n").split("\n")
    for number in range(count):
        ticket = json.loads(lines[number % len(lines)])
        yield Run(f"{ticket.pop('workflow_id')}-{number // len(lines)}", intake.Ticket.model_validate(ticket))


def expect(started: Sequence[Run], troubles: Troubles) -> Left:
    """Return what is there when all of these are over."""
    expected = Left()
    for run in started:
        # An Avro timestamp is a moment: the offset from UTC ends at the first event.
        ticket = run.ticket.model_copy(update={"created_at": run.ticket.created_at.astimezone(UTC)})
        _Walk(run.id, troubles, expected).follow("TicketCreated", {"ticket": ticket})
    return expected


@dataclass(frozen=True, slots=True)
class _Walk:
    """One run, from its first event to its last ones."""

    run: str
    troubles: Troubles
    expected: Left

    def follow(self, event: str, written: Mapping[str, BaseModel]) -> None:
        if event not in LISTENERS:
            self.expected.finals[Outcome(self.run, event)] += 1
        for step in LISTENERS.get(event, ()):
            self._perform(step, event, written)

    def _perform(self, step: str, event: str, written: Mapping[str, BaseModel]) -> None:
        trouble = self.troubles.of(self.run, step, lasting=step != "regret")
        if trouble.is_lasting:
            if trouble.kind is Kind.EXHAUST:
                self.expected.letters[Letter(self.run, step, "attempts-exhausted")] += 1
            self.follow(f"{step}.failed", written)
            return
        result = self._result(step, event, written)
        self.expected.effects[Effect(self.run, step, event, result.model_dump_json())] += 1
        self.follow(EMITTED[type(result).__name__], {**written, step: result})

    def _result(self, step: str, event: str, written: Mapping[str, BaseModel]) -> BaseModel:
        handler: Any = HANDLERS[step]
        arguments = {
            name: SimpleNamespace(workflow_id=self.run, event=event)
            if name == "context"
            else view.model_validate_json(written[name].model_dump_json())
            for name, view in get_type_hints(handler).items()
            if name != "return"
        }
        return handler(**arguments)
