"""A step begins to listen to an event that is published already."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find events that occur in a baseline, and that a step which is there hears only from now on."""
    for baseline in study.baselines:
        for (workflow, step), was in baseline.steps.items():
            now = study.now.steps.get((workflow, step))
            carried = study.graph(baseline, workflow).carried
            for number, event in enumerate(now.on if now else ()):
                if event in carried and event not in was.on:
                    yield Issue(
                        workflow,
                        step,
                        f"{step} begins to listen to {event}, which is published already: where an old instance of {step} still runs, it may take "
                        f"that from their queue and refuse it. Stop the old instances before the new ones start",
                        place=place(study.now.said(workflow, step), "on", number),
                        consumer=step,
                        baseline=baseline.name,
                    )


RULE = Rule(
    id="event-newly-heard",
    severity=Severity.WARNING,
    title="A step begins to listen to an event that is published already",
    why="Old and new instances of a step take from one queue. As soon as a new one has bound it to the event, an old one may get it.",
    remedy="Stop the old instances before the new ones start. Where that cannot be, let a step of a new name listen to the event.",
    example=Example(
        before={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "writes": {"Validated.v1": {"ok": "boolean"}},
            },
            "archive": {"on": ["TicketValidated"]},
        },
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "writes": {"Validated.v1": {"ok": "boolean"}},
            },
            "archive": {"on": ["TicketValidated", "TicketCreated"]},
        },
    ),
    look=look,
)
