"""Runs that are under way come to a step without what it reads from now on."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts
from stamp.ripple.graph import ABSENT
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.workflow.contract import StepContract
from stamp.workflow.declaration import FILE


def look(study: Study) -> Iterator[Issue]:
    """Find reads that the present contracts guarantee, and a baseline by which runs have begun does not."""
    for baseline in study.baselines:
        for workflow in study.now.workflows:
            for reader in study.now.of(workflow).values():
                for producer in sorted(reader.reads.keys() - reader.optional):
                    if not _lacks(study, study.now, reader, producer) and _lacks(study, baseline, reader, producer):
                        yield Issue(
                            workflow,
                            producer,
                            f"{reader.step} must read {producer} from now on, and runs that have begun before come without it: "
                            f'make the view optional (`View | None`, or "optional" in {FILE}), or let those runs end first',
                            place=place(study.now.said(workflow, reader.step), "reads", producer),
                            consumer=reader.step,
                            producer=producer,
                            routes=study.graph(baseline, workflow).detours(reader, producer),
                            baseline=baseline.name,
                        )


def _lacks(study: Study, state: Contracts, reader: StepContract, producer: str) -> bool:
    graph = study.graph(state, reader.workflow)
    return graph.is_reached(reader) and ABSENT in graph.held(reader, producer)


RULE = Rule(
    id="runs-under-way",
    severity=Severity.WARNING,
    title="Runs that are under way come to a step without what it reads from now on",
    why="A run lasts longer than a deployment. Those that passed the place of a new step before it was there have nothing of it.",
    remedy="Make the view optional until every run that began before has ended.",
    example=Example(
        before={
            "ticket": {"emits": {"TicketCreated": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "archive": {"on": ["TicketCreated"]},
        },
        now={
            "ticket": {"emits": {"TicketAsked": "Ticket"}, "writes": {"Ticket.v1": {"text": "string"}}},
            "validation": {
                "on": ["TicketAsked"],
                "emits": {"TicketCreated": "Validated"},
                "writes": {"Validated.v1": {"ok": "boolean"}},
            },
            "archive": {"on": ["TicketCreated"], "reads": {"validation": {"ok": "boolean"}}},
        },
    ),
    look=look,
)
