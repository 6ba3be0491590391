"""A step no longer listens to an event that may wait in its queue."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed


def look(study: Study) -> Iterator[Issue]:
    """Find events that a baseline lets come to a step, and that it does not take any more.

    Where the baseline publishes none of them, some may be left of what was published before: the advice for changing an event in stages ends there.
    """
    for baseline in study.baselines:
        for (workflow, step), was in baseline.steps.items():
            carried = study.graph(baseline, workflow).carried
            now = study.now.steps.get((workflow, step))
            lost = [event for event in was.on if now is None or event not in now.on]
            if not lost:
                continue
            published = [event for event in lost if event in carried]
            told = listed(published or lost)
            what = f"no longer listens to {told}" if now else f"is removed, and listened to {told}"
            yield Issue(
                workflow,
                step,
                f"{step} {what}: what waits in its queue then is handled by nobody. Let the queue run empty first",
                severity=None if published else Severity.INFO,
                place=place(study.now.said(workflow, step), "on") if now else None,
                other=place(baseline.said(workflow, step), "on"),
                consumer=step,
                baseline=baseline.name,
            )


RULE = Rule(
    id="event-no-longer-heard",
    severity=Severity.WARNING,
    title="A step no longer listens to an event that may wait in its queue",
    why="A queue keeps what was published before. A step refuses events that it does not listen to, so those runs stop there. It is an info where nobody publishes the event any more.",
    remedy="Listen to both for a while: publish the old event no more, wait until the queue has none left, then stop listening.",
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
