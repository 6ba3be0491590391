"""A step that no event reaches."""

from __future__ import annotations

from collections.abc import Iterator

from stamp.compat import Severity
from stamp.ripple.graph import Graph, published
from stamp.ripple.place import place
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed


def look(study: Study) -> Iterator[Issue]:
    """Find steps whose events nobody publishes, or only steps that are unreachable too. Those that were reached are another rule's."""
    for workflow in study.now.workflows:
        graph = study.graph(study.now, workflow)
        partial = _partial(graph)
        for party in graph.parties:
            if graph.is_reached(party) or _was_reached(study, workflow, party.step):
                continue
            emitters = sorted({step for event in party.on for step in graph.publishers(event)})
            why = f"which only {listed(emitters)} would publish" if emitters else "which nobody publishes"
            is_partial = party.step in partial
            known = sorted(graph.carried)
            hint = f": published are {listed(known)}" if known and not emitters else ""
            missing = ". Contracts of other services are missing here: run `stamp contracts pull`" if is_partial else ""
            yield Issue(
                workflow,
                party.step,
                f"{party.step} is never reached: it listens to {listed(party.on)}, {why}{hint}{missing}",
                severity=Severity.WARNING if is_partial else None,
                place=place(study.now.said(workflow, party.step), "on"),
                consumer=party.step,
            )


def _partial(graph: Graph) -> set[str]:
    """Return the unreachable steps before which contracts are missing, of services that are not in the folder.

    That is all of them where no step starts runs; else those that read steps which are not there, and those after them.
    """
    there = {party.step for party in graph.parties}
    unreached = [party for party in graph.parties if not graph.is_reached(party)]
    if all(party.on for party in graph.parties):
        return {party.step for party in unreached}
    origins = {
        party.step
        for party in unreached
        if not party.reads.keys() <= there and not any(map(graph.publishers, party.on))
    }
    after = graph.following(event for each in unreached if each.step in origins for event in published(each))
    return origins | after.intersection(party.step for party in unreached)


def _was_reached(study: Study, workflow: str, step: str) -> bool:
    for baseline in study.baselines:
        party = baseline.steps.get((workflow, step))
        if party is not None and study.graph(baseline, workflow).is_reached(party):
            return True
    return False


RULE = Rule(
    id="step-unreachable",
    severity=Severity.ERROR,
    title="A step that no event reaches",
    why="It waits for events that no run ever has. Often a name is written in two ways.",
    remedy=(
        "Let it listen to an event that is published, or publish the one that it listens to; a step that starts runs listens to nothing. "
        "Where another service publishes it whose contract is not in the folder, run `stamp contracts pull`: where contracts are known to be missing, "
        "since no step starts runs or a step reads one that is not there, this is a warning."
    ),
    example=Example(
        now={
            "ticket": {
                "emits": {"TicketCreated": "Ticket"},
                "ends": ["TicketCreated"],
                "writes": {"Ticket.v1": {"text": "string"}},
            },
            "validation": {"on": ["TicketCraeted"]},
        }
    ),
    look=look,
)
