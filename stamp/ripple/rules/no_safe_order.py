"""There is no order in which the services of a change can be deployed."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study


def look(study: Study) -> Iterator[Issue]:
    """Find changes without a safe order. When the present contracts by themselves are broken, that is for other rules to say."""
    for rollout in study.rollouts:
        if not rollout.is_safe and not rollout.is_end_broken:
            yield Issue(
                rollout.workflow,
                rollout.workflow,
                f"{rollout.workflow}: there is no safe order of deployment, as {'; '.join(rollout.obstacles)}. {'. '.join(rollout.ways_out)}",
                baseline=rollout.baseline,
            )


RULE = Rule(
    id="no-safe-order",
    severity=Severity.ERROR,
    title="There is no order in which the services of a change can be deployed",
    why="Whichever service goes first, for a while something old meets something new that it cannot take, or data that wait in queues do.",
    remedy=(
        "Follow the way out where one is told: each step of it has been tried on the contracts. It is expand and contract: who reads or listens "
        "takes the old and the new first, and the old is taken away in a change of its own. No step may hear two events of one run."
    ),
    example=Example(
        before={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketCreated"]},
        },
        now={
            "ticket": {"emits": {"TicketOpened": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketOpened"]},
        },
    ),
    look=look,
)
