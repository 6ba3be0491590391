"""A view that still runs cannot read what will be written."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.breakage import breakages
from stamp.ripple.meetings import Moment
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find views of a baseline that cannot read versions which are new since."""
    return breakages(study, Moment.NEW_DATA)


def _before(*symbols: str) -> dict[str, object]:
    return {"type": "enum", "name": "Priority", "symbols": list(symbols)}


RULE = Rule(
    id="new-data-breaks",
    severity=Severity.ERROR,
    title="A view that still runs cannot read what will be written",
    why="Services are not deployed in one moment: what the new version of one writes comes to the old version of another. It is a warning when there is an order of deployment in which they never meet.",
    remedy="Deploy in the order that is told; where there is none, expand first: write the new beside the old, and remove the old when nobody reads it any more.",
    example=Example(
        before={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "writes": {"Ticket.v1": {"priority": _before("LOW", "HIGH")}},
            },
            "validation": {"on": ["TicketCreated"], "reads": {"ticket": {"priority": _before("LOW", "HIGH")}}},
        },
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "writes": {
                    "Ticket.v1": {"priority": _before("LOW", "HIGH")},
                    "Ticket.v2": {"priority": _before("LOW", "HIGH", "URGENT")},
                },
            },
            "validation": {
                "on": ["TicketCreated"],
                "reads": {"ticket": {"priority": _before("LOW", "HIGH", "URGENT")}},
            },
        },
    ),
    look=look,
)
