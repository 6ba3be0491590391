"""An event that nobody listens to and that is not said to be an end."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.workflow.declaration import FILE


def look(study: Study) -> Iterator[Issue]:
    """Find events of success without listeners, that are not among the `ends` of who publishes them."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        for party in graph.parties:
            for event in party.emits:
                if event not in party.ends and not graph.listeners(event):
                    yield Issue(
                        workflow,
                        party.step,
                        f"{event} of {party.step} has no consumer: if runs end there, say so (`ends`, in {FILE} too)",
                        place=place(study.now.said(workflow, party.step), "emits", event),
                        consumer=None,
                        producer=party.step,
                    )


RULE = Rule(
    id="event-without-consumer",
    severity=Severity.WARNING,
    title="An event that nobody listens to and that is not said to be an end",
    why="Runs stop there without anybody meaning it: a listener is missing, or an event is written in two ways.",
    remedy='Name the event under "ends", or let a step listen to it. Failure events need no listener.',
    example=Example(
        now={"ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}}},
    ),
    look=look,
)
