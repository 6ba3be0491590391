"""A view cannot read data that were written before."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.breakage import breakages
from stamp.ripple.meetings import Moment
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study

ENUM = {"type": "enum", "name": "Priority", "symbols": ["LOW", "HIGH"]}


def look(study: Study) -> Iterator[Issue]:
    """Find views that cannot read versions that are not retired."""
    return breakages(study, Moment.OLD_DATA)


RULE = Rule(
    id="old-data-breaks",
    severity=Severity.ERROR,
    title="A view cannot read data that were written before",
    why="Events wait in queues and contributions lie in stores when a service is deployed. Of every released version there may be data until it is retired.",
    remedy='Let the view read the older versions too (an alias for what is renamed, a default for what is new, a union). Or, when no data of a version are left anywhere, say so under "retired" in the step.json of its step.',
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "writes": {"Ticket.v1": {"priority": "string"}, "Ticket.v2": {"priority": ENUM}},
            },
            "validation": {"on": ["TicketCreated"], "reads": {"ticket": {"priority": ENUM}}},
        }
    ),
    look=look,
)
