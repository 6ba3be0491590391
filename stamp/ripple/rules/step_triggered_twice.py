"""A step that one run triggers twice."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

from stamp.compat import Severity
from stamp.ripple.contracts import Contracts
from stamp.ripple.place import place
from stamp.ripple.repeats import MAX_REPEATS, Repeat, involved
from stamp.ripple.rule import Example, Issue, Rule
from stamp.ripple.study import Study
from stamp.ripple.wording import listed, route


def look(study: Study) -> Iterator[Issue]:
    """Find steps that two ways of one run reach. An error where the change brings it: a baseline has the workflow, and not this."""
    for workflow in study.now.workflows:
        for step, events in study.network(study.now, workflow).events.items():
            for baseline in (each for each in study.baselines if each.of(workflow)):
                if not events <= _known(study, workflow, step, baseline):
                    yield _issue(study, workflow, step, baseline)
                    break
            else:
                yield _issue(study, workflow, step, None)


def _known(study: Study, workflow: str, step: str, baseline: Contracts) -> AbstractSet[str]:
    return study.network(baseline, workflow).events.get(step, frozenset())


def _issue(study: Study, workflow: str, step: str, baseline: Contracts | None) -> Issue:
    network = study.network(study.now, workflow)
    known = frozenset() if baseline is None else _known(study, workflow, step, baseline)
    first, *others = islice(network.repeats_of(step, known=known), MAX_REPEATS)
    said = study.now.said(workflow, first.step)
    fresh = network.events[step] - known
    told = fresh & involved(others) - involved([first])
    left = len(fresh - told - involved([first]))
    events = [*(event for event in said.value["on"] if event in told), *([f"{left:,} more"] if left else [])]
    more = f"; by {listed(events)} too" if events else ""
    return Issue(
        workflow,
        first.step,
        f"{first.step} is triggered twice in one run: {_ways(first)}{more}",
        severity=Severity.WARNING if baseline is None else None,
        place=place(said, "on", said.value["on"].index(first.event if first.event in fresh else first.once[-1])),
        consumer=first.step,
        routes=(first.once, first.again),
        baseline=None if baseline is None else baseline.name,
    )


def _ways(repeat: Repeat) -> str:
    if repeat.is_one_way:
        return f"by {repeat.once[-1]}, and by {repeat.event}, which follows from it ({route(repeat.again)})"
    return (
        f"by {repeat.once[-1]} ({route(repeat.once)}), and by {repeat.event} on another branch ({route(repeat.again)})"
    )


RULE = Rule(
    id="step-triggered-twice",
    severity=Severity.ERROR,
    title="A step that one run triggers twice",
    why=(
        "It does its work once for each of the events, and so does all that comes after it: what is packed is packed twice. "
        "Events that exclude one another, and loops that come back through the step itself, are no such thing. It is a warning where no change brings it."
    ),
    remedy=(
        "Let the step listen to the last of the events alone. Runs that are under way, and services that still run as they were, have to be "
        "told from the new ones: publish, where the new way begins, an event of a new name instead of the old one."
    ),
    example=Example(
        now={
            "order": {"emits": {"OrderPaid": "Order"}, "writes": {"Order.v1": {"item": "string"}}},
            "picking": {
                "on": ["OrderPaid"],
                "emits": {"OrderPicked": "Picked"},
                "writes": {"Picked.v1": {"shelf": "string"}},
            },
            "packing": {"on": ["OrderPaid", "OrderPicked"]},
        },
    ),
    look=look,
)
