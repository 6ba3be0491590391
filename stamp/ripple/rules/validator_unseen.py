"""A view has validators, which no contract can tell."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.schema.unseen import validators


def look(study: Study) -> Iterator[Issue]:
    """Find views of the present contracts whose models refuse data by code."""
    for (workflow, step), party in study.now.steps.items():
        for producer in party.reads:
            view = study.now.view(workflow, step, producer)
            if found := validators(study.pairs.source(view).root):
                yield Issue(
                    workflow,
                    producer,
                    f"{step} reads {producer} with code of its own, not seen: {listed([f'{each} has a validator' for each in found])}",
                    place=place(view),
                    consumer=step,
                    producer=producer,
                )


RULE = Rule(
    id="validator-unseen",
    severity=Severity.INFO,
    title="A view has validators, and what they refuse cannot be seen",
    why="Bounds, lengths, values and formats of a model are in its contract, and are compared. What validators, predicates and types that look at the clock or the disk refuse is code: no contract tells it, and no check of contracts sees it.",
    remedy="Nothing, if the writer writes nothing that they refuse. `stamp check --prove --code` tries the model itself. Say in the types what can be said there: `Field(le=999)` instead of a validator.",
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "writes": {"Ticket.v1": {"text": "string"}},
            },
            "validation": {
                "on": ["TicketCreated"],
                "reads": {"ticket": [{"name": "text", "type": "string", "stamp": {"validator": "Request.text"}}]},
            },
        }
    ),
    look=look,
)
