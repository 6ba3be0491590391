"""What a change of contracts does: who breaks, in which order it can be deployed, how large events become."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from stamp.compat import Finding, Severity
from stamp.ripple.contracts import Contracts, Version
from stamp.ripple.extent import check_extent
from stamp.ripple.growth import BUDGET, Growth, growth
from stamp.ripple.pairs import Pairs
from stamp.ripple.reading import Reading
from stamp.ripple.report import Impact, Report, Rollout
from stamp.ripple.rollout import plan
from stamp.ripple.rule import Issue, Rule
from stamp.ripple.rules import RULES
from stamp.ripple.sizes import ASSUMED, Assumptions
from stamp.ripple.study import Study
from stamp.ripple.untold import untold
from stamp.ripple.way_out import Trial
from stamp.schema.types import Type
from stamp.workflow.draft import Changes

__all__ = ["ripple"]


def ripple(  # noqa: PLR0913 - options, each with a default
    now: Contracts,
    baselines: Sequence[Contracts] = (),
    *,
    today: date,
    mode: str | None = None,
    listing: bool = False,
    budget: int = BUDGET,
    assumed: Assumptions = ASSUMED,
    pending: Sequence[Changes] = (),
    readings: Sequence[Reading] = (),
) -> Report:
    """Return what is to be said about contracts by themselves, and about what has changed since each baseline.

    Args:
        now: the present contracts.
        baselines: what runs, or may run, or waits in queues: each is compared with the present by itself.
        today: versions that were retired before this day are gone.
        mode: hold also the versions of each record against one another, as this one of `stamp.compat.MODES` asks for.
        listing: tell also the fields that nobody reads and no change has touched.
        budget: how many bytes an event may have.
        assumed: what is taken for usual where a schema does not say.
        pending: what an export of the code would change, see `stamp.ripple.pending`.
        readings: views in code, whose models are given data, see `stamp.ripple.readings`.

    Raises:
        ContractError: a workflow is larger than can be checked in time, see `stamp.ripple.extent`.
        InputError: there is no such mode.
    """
    states = (now, *baselines)
    check_extent(states)
    study = Study(
        now=now,
        baselines=states[1:],
        today=today,
        pairs=Pairs(untold(states)),
        mode=mode,
        listing=listing,
        pending=tuple(pending),
        readings=tuple(readings),
    )
    study = replace(study, growth=_growth(study, budget, assumed))
    return _report(replace(study, rollouts=tuple(_rollouts(study, is_good=_trial(study)))))


def _report(study: Study) -> Report:
    known = {impact.key for baseline in study.baselines for impact in _impacts(study.of(baseline))}
    impacts = [replace(each, is_known=True) if each.key in known else each for each in _impacts(study)]
    return Report(
        impacts=tuple(sorted(impacts, key=lambda impact: impact.finding.severity.rank)),
        rollouts=study.rollouts,
        graph={workflow: study.graph(study.now, workflow) for workflow in study.now.workflows},
        growth=study.growth,
        pairs=study.pairs,
    )


def _impacts(study: Study) -> Iterator[Impact]:
    for rule in RULES:
        for issue in rule.look(study):
            yield _impact(rule, issue)


def _impact(rule: Rule, issue: Issue) -> Impact:
    finding = Finding(
        rule=rule.id,
        severity=issue.severity or rule.severity,
        path=issue.path,
        message=issue.message,
        reader=issue.place,
        writer=issue.other,
        causes=issue.causes,
    )
    return Impact(
        finding=finding,
        workflow=issue.workflow,
        consumer=issue.consumer,
        producer=issue.producer,
        versions=issue.versions,
        routes=issue.routes,
        carriers=issue.carriers,
        baseline=issue.baseline,
        pair=issue.pair,
    )


def _rollouts(study: Study, is_good: Trial | None) -> Iterator[Rollout]:
    for baseline in study.baselines:
        for workflow in study.workflows:
            if (rollout := plan(study, baseline, workflow, is_good=is_good)) is not None:
                yield rollout


def _trial(whole: Study) -> Trial:
    """Return what tries a step of a way out of what a study has found: a check of it that looks for no way out of its own."""

    def is_good(before: Contracts, after: Contracts) -> bool:
        pairs = Pairs(untold((after, before)))
        study = Study(after, (before,), whole.today, pairs, networks=whole.networks)
        study = replace(study, rollouts=tuple(_rollouts(study, is_good=None)))
        impacts = _report(study).impacts
        return not any(each.finding.severity is Severity.ERROR and not each.is_known for each in impacts)

    return is_good


def _growth(study: Study, budget: int, assumed: Assumptions) -> dict[str, Growth]:
    def type_of(version: Version) -> Type:
        return study.pairs.source(version.file).root

    def of(state: Contracts, workflow: str, before: Growth | None) -> Growth:
        graph = study.graph(state, workflow)
        return growth(state, graph, types=type_of, assumed=assumed, budget=budget, before=before)

    first = next(iter(study.baselines), None)
    return {
        workflow: of(study.now, workflow, None if first is None else of(first, workflow, None))
        for workflow in study.now.workflows
    }
