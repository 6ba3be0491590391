"""A step may get an event without a contribution that it must read."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.graph import ABSENT, NOTHING
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import route
from stamp.workflow.declaration import FILE


def look(study: Study) -> Iterator[Issue]:
    """Find reads of steps that contribute on some ways to the reader, but not on all."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        for reader in graph.parties:
            for producer in sorted(reader.reads.keys() - reader.optional):
                held = graph.held(reader, producer)
                if ABSENT in held and held != NOTHING:
                    ways = graph.detours(reader, producer)
                    when = f"when {route(ways[0])} leads there" if ways else "on every way"
                    yield Issue(
                        workflow,
                        producer,
                        f"{reader.step} must read {producer}, which has not contributed {when}: make the view "
                        f'optional (`View | None`, or "optional" in {FILE}), or let every way pass through {producer}',
                        place=place(study.now.said(workflow, reader.step), "reads", producer),
                        consumer=reader.step,
                        producer=producer,
                        routes=ways,
                    )


RULE = Rule(
    id="read-not-guaranteed",
    severity=Severity.ERROR,
    title="A step may get an event without a contribution that it must read",
    why="An envelope has only what was contributed on the way that its events took. On another way the view is missing, and the step fails.",
    remedy="Make the view optional, or lead every way to the step through the one that it reads.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "writes": {"Validated.v1": {"priority": "string"}},
            },
            "archive": {"on": ["TicketCreated", "TicketValidated"], "reads": {"validation": {"priority": "string"}}},
        }
    ),
    look=look,
)
