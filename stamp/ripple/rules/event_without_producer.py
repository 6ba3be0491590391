"""A step listens to an event that nobody publishes."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.graph import published
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed


def look(study: Study) -> Iterator[Issue]:
    """Find events without publishers of steps that other events reach. An event that a baseline publishes is another rule's."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        there = {event for party in graph.parties for event in published(party)}
        gone = {event for each in study.baselines for event in study.graph(each, workflow).carried}
        for party in graph.parties:
            for number, event in enumerate(party.on if graph.is_reached(party) else ()):
                if event not in there and event not in gone:
                    yield Issue(
                        workflow,
                        party.step,
                        f"{party.step} listens to {event}, which nobody publishes yet: published are {listed(sorted(there))}",
                        place=place(study.now.said(workflow, party.step), "on", number),
                        consumer=party.step,
                    )


RULE = Rule(
    id="event-without-producer",
    severity=Severity.WARNING,
    title="A step listens to an event that nobody publishes",
    why="The step is reached by other events, but never by this one: its publisher is yet to come, or a name is written in two ways.",
    remedy="Correct the name; or get the contract of the service that publishes the event, with `stamp contracts pull`, or wait for it. What is left of an old event can be dropped.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketCreated", "TicketChanged"]},
        }
    ),
    look=look,
)
