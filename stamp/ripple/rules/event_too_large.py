"""An event becomes larger than its budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stamp.compat import Severity
from stamp.ripple.growth import BUDGET, EventSize, Growth
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed


def look(study: Study) -> Iterator[Issue]:
    """Find events that are usually over the budget, and as warnings those that can be. Where nothing bounds them, growth says so."""
    for workflow, growth in study.growth.items():
        for event in growth.events:
            usual = event.size.typical > growth.budget
            if usual or (event.size.worst is not None and event.size.worst > growth.budget):
                said = study.now.said(workflow, event.step)
                yield Issue(
                    workflow,
                    event.step,
                    _text(event, growth),
                    severity=None if usual else Severity.WARNING,
                    place=place(said, "emits", event.event),
                    producer=event.step,
                )


def _text(event: EventSize, growth: Growth) -> str:
    size = f"usually {event.size.typical}" if event.size.typical > growth.budget else f"up to {event.size.worst}"
    refused = event.refused_by()
    brokers = f"; {listed(broker.name for broker in refused)} would not take it" if refused else ""
    return f"{event.event} of {event.step} has {size} bytes, {event.own.typical} of its own: the budget is {growth.budget}{brokers}"


def _large(name: str) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": BUDGET // 5}


RULE = Rule(
    id="event-too-large",
    severity=Severity.ERROR,
    title="An event becomes larger than its budget",
    why="Every event carries all that came before it, and brokers and readers have limits: the run stops at the step that would pass one.",
    remedy="Write less; keep large things elsewhere and write where they are; let steps after which nobody reads a contribution drop it.",
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {f"page{number}": _large(f"Page{number}") for number in range(6)}},
            }
        },
    ),
    look=look,
)
