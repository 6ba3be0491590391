"""A step or an event is gone, and others still count on it."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts
from stamp.ripple.graph import Graph, published
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.workflow.contract import StepContract


def look(study: Study) -> Iterator[Issue]:
    """Find removed steps that are still read, and events that are still listened to though nobody publishes them any more."""
    for baseline in study.baselines:
        for workflow in baseline.workflows:
            yield from _steps(study, baseline, workflow)
            yield from _events(study, baseline, workflow)


def _steps(study: Study, baseline: Contracts, workflow: str) -> Iterator[Issue]:
    for step in sorted(baseline.of(workflow).keys() - study.now.of(workflow).keys()):
        for reader in study.now.of(workflow).values():
            if step in reader.reads:
                yield Issue(
                    workflow,
                    step,
                    f"{reader.step} reads {step}, which is removed",
                    severity=Severity.WARNING if step in reader.optional else None,
                    place=place(study.now.said(workflow, reader.step), "reads", step),
                    consumer=reader.step,
                    producer=step,
                    baseline=baseline.name,
                )


def _events(study: Study, baseline: Contracts, workflow: str) -> Iterator[Issue]:
    graph, before = study.graph(study.now, workflow), study.graph(baseline, workflow)
    there = {event for party in graph.parties for event in published(party)}
    for party in graph.parties:
        if not graph.is_reached(party):
            continue  # it starves: another rule's
        for number, event in enumerate(party.on):
            if event in before.carried and event not in there:
                is_replaced = _is_replaced(event, party, before, graph)
                left = f"; it is reached by what comes instead: drop {event} when its queue has none left"
                yield Issue(
                    workflow,
                    party.step,
                    f"{party.step} listens to {event}, which {listed(before.publishers(event))} no longer publishes"
                    f"{left * is_replaced}",
                    severity=Severity.INFO if is_replaced else None,
                    place=place(study.now.said(workflow, party.step), "on", number),
                    consumer=party.step,
                    baseline=baseline.name,
                )


def _is_replaced(event: str, party: StepContract, before: Graph, now: Graph) -> bool:
    """Tell whether all that has come instead of an event leads to a step which has listened to it.

    That are the events which a publisher of it has not published before; where the publisher is gone, those that have led to it.
    """
    there = {each.step: each for each in now.parties}
    for was in before.parties:
        if event in published(was):
            following = set(published(there[was.step])) - set(published(was)) if was.step in there else set(was.on)
            if not all(now.leads(each, party.step) for each in following if each in now.carried):
                return False
    return True


RULE = Rule(
    id="removed-while-used",
    severity=Severity.ERROR,
    title="A step or an event is gone, and others still count on it",
    why=(
        "What reads the step fails at every event; what listens to the event is not told of these runs any more. Where all that comes "
        "instead leads to the listener, it is only to be known: its `on` can lose the event."
    ),
    remedy="First remove the view (or the event under `on`) from the reader and deploy that; then remove what was read.",
    example=Example(
        before={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketCreated"],
                "emits": {"TicketValidated": "Validated"},
                "writes": {"Validated.v1": {"ok": "boolean"}},
            },
            "archive": {"on": ["TicketValidated"], "reads": {"validation": {"ok": "boolean"}}},
        },
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "archive": {"on": ["TicketCreated"], "reads": {"validation": {"ok": "boolean"}}},
        },
    ),
    look=look,
)
