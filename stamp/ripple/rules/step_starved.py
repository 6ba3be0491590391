"""A step that no longer gets its events."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.graph import Graph
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.workflow.contract import StepContract


def look(study: Study) -> Iterator[Issue]:
    """Find steps that a baseline reaches and the present contracts do not."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        for party in sorted(
            graph.parties, key=lambda party: bool(_emitters(graph, party))
        ):  # where it begins comes first
            for baseline in study.baselines if not graph.is_reached(party) else ():
                before = baseline.steps.get((workflow, party.step))
                was = study.graph(baseline, workflow)
                if before is None or not was.is_reached(before):
                    continue
                yield Issue(
                    workflow,
                    party.step,
                    f"{party.step} starves: it listens to {listed(party.on)}, {_why(graph, was, party)}",
                    place=place(study.now.said(workflow, party.step), "on"),
                    consumer=party.step,
                    baseline=baseline.name,
                )
                break


def _emitters(graph: Graph, party: StepContract) -> list[str]:
    return sorted({step for event in party.on for step in graph.publishers(event)})


def _why(graph: Graph, was: Graph, party: StepContract) -> str:
    if emitters := _emitters(graph, party):
        return f"which only {listed(emitters)} would publish, and no event reaches that any more"
    lost = [event for event in party.on if event in was.carried]
    came = sorted({step for event in lost for step in was.publishers(event)})
    return f"which nobody publishes any more: {listed(came)} did" if came else "which nobody publishes"


RULE = Rule(
    id="step-starved",
    severity=Severity.ERROR,
    title="A step that no longer gets its events",
    why="The change takes away the events that led to it. It does not fail: it is silent, and so is all that comes after it.",
    remedy="Publish the event as before, beside the new one if need be; or let the step listen to what is published now.",
    example=Example(
        before={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketCreated"]},
        },
        now={
            "ticket": {
                "emits": {"TicketOpened": "Ticket"},
                "ends": ["TicketOpened"],
                "writes": {"Ticket.v1": {"text": "string"}},
            },
            "validation": {"on": ["TicketCreated"]},
        },
    ),
    look=look,
)
