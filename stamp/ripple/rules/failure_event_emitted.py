"""A step publishes on success the event with which another one fails."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find events of success that are events of failure of another step."""
    for workflow in study.now.workflows:
        parties = study.now.of(workflow)
        failing = {party.fails: party.step for party in parties.values() if party.on}
        for party in parties.values():
            for event in party.emits:
                if (other := failing.get(event, party.step)) != party.step:
                    yield Issue(
                        workflow,
                        party.step,
                        f"{party.step} emits {event}, with which {other} fails: who listens to it expects a failure, not what {party.step} writes",
                        place=place(study.now.said(workflow, party.step), "emits", event),
                        other=place(study.now.said(workflow, other), "fails"),
                        producer=party.step,
                    )


RULE = Rule(
    id="failure-event-emitted",
    severity=Severity.ERROR,
    title="A step publishes on success the event with which another one fails",
    why="Who listens to the event cannot tell a failure from a result: a view of the failure is missing, and what undoes the work starts for nothing.",
    remedy="Give one of the two events another name.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketCreated"]},
            "check": {
                "on": ["TicketCreated"],
                "emits": {"validation.failed": "Refused"},
                "ends": ["validation.failed"],
                "writes": {"Refused.v1": {"reason": "string"}},
            },
        }
    ),
    look=look,
)
