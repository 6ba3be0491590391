"""A step reads what nobody writes on any way to it."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.graph import NOTHING, Graph
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed
from stamp.workflow.contract import StepContract


def look(study: Study) -> Iterator[Issue]:
    """Find reads of steps that do not exist, or that never come before the reader. Steps that were removed are another rule's."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        for reader in graph.parties:
            for producer in reader.reads:
                if (
                    not graph.is_reached(reader)
                    or graph.held(reader, producer) != NOTHING
                    or _was_removed(study, workflow, producer)
                ):
                    continue
                yield Issue(
                    workflow,
                    producer,
                    f"{reader.step} reads {producer}, {_why(graph, reader, producer)}",
                    severity=Severity.WARNING if producer in reader.optional else None,
                    place=place(study.now.said(workflow, reader.step), "reads", producer),
                    consumer=reader.step,
                    producer=producer,
                )


def _was_removed(study: Study, workflow: str, step: str) -> bool:
    return (workflow, step) not in study.now.steps and any((workflow, step) in each.steps for each in study.baselines)


def _why(graph: Graph, reader: StepContract, producer: str) -> str:
    steps = sorted({party.step for party in graph.parties})
    if producer not in steps:
        return f"which nobody declares: there are {listed(steps)}"
    if not any(party.emits for party in graph.parties if party.step == producer):
        return "which writes nothing"
    return f"which contributes on no way to {listed(reader.on)}: it comes later, or on another branch"


RULE = Rule(
    id="read-without-writer",
    severity=Severity.ERROR,
    title="A step reads what nobody writes on any way to it",
    why="The view can never be given: the step fails at every event, or if the view is optional never sees one.",
    remedy="Name the step whose contribution is wanted, or add its contract to the folder; or remove the view.",
    example=Example(
        now={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {"on": ["TicketCreated"], "reads": {"tickets": {"text": "string"}}},
        }
    ),
    look=look,
)
