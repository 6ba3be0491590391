"""A view cannot read what its step gets now."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.breakage import breakages
from stamp.ripple.meetings import Moment
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find views that cannot read the newest versions that reach them."""
    return breakages(study, Moment.NOW)


RULE = Rule(
    id="view-breaks",
    severity=Severity.ERROR,
    title="A view cannot read what its step gets now",
    why="With the contracts as they are, the step fails at every event that carries such a contribution.",
    remedy="Change the view, or release a version of the record that it can read. `stamp explain` knows the rule that is named as the cause.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "ends": ["TicketValidated"],
                "reads": {"ticket": {"text": "string", "language": "string"}},
                "writes": {"Validated.v1": {"priority": "string"}},
            },
        }
    ),
    look=look,
)
