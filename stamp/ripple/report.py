"""What has been found out about a change, as values. Nothing here renders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stamp.compat import Finding, Severity
from stamp.ripple.acceptance import Acceptance
from stamp.ripple.graph import Graph, Route
from stamp.ripple.growth import Growth
from stamp.ripple.pairs import Pair, Pairs

__all__ = ["Handover", "Impact", "Phase", "Proof", "Report", "Rollout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """A finding, and what it means in its workflow.

    `consumer` is the step that breaks, `producer` the one whose contribution it reads, `versions` what that is written with (such as
    `Validated.v2`). `routes` are ways by which it arrives, events in their order, the shortest first, not all of them; `carriers` the
    steps that get it too, and only carry it along: they are not broken. `baseline` is the state that it was found by comparing with.
    `is_known` tells whether a baseline has it already, `accepted` by which entry somebody has accepted it. The causes of the finding
    are about the files of `pair`.
    """

    finding: Finding
    workflow: str
    consumer: str | None = None
    producer: str | None = None
    versions: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    carriers: tuple[str, ...] = ()
    baseline: str | None = None
    is_known: bool = False
    accepted: Acceptance | None = None
    pair: Pair | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two impacts, found at different times, the same."""
        causes = (cause.rule for cause in self.finding.causes)
        return self.finding.rule, self.workflow, self.consumer or "", self.producer or "", self.finding.path, *causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Steps that may be deployed at the same time, in any order, once the phases before are done everywhere.

    `removed` are those of them that go away. `reasons` say why they had to wait for the phases before.
    """

    number: int
    workflow: str
    steps: tuple[str, ...]
    removed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """New `versions` of what `step` writes, which the services of the steps `to` must know before it is deployed in a phase."""

    phase: int
    step: str
    versions: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How to get from a baseline to the present contracts of a workflow.

    In each phase old and new versions of its steps run side by side, and all pairs that can meet then have been checked. When no order
    is safe there are no phases: `obstacles` say why, `ways_out` how to make the change in more than one deployment. `is_end_broken` tells
    that the present contracts by themselves are what breaks: no order is to blame. `handovers` say who must know what before.
    """

    workflow: str
    baseline: str
    phases: tuple[Phase, ...] = ()
    obstacles: tuple[str, ...] = ()
    ways_out: tuple[str, ...] = ()
    is_end_broken: bool = False
    handovers: tuple[Handover, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether there is a safe order, be it that nothing has to be deployed."""
        return not self.obstacles

    def handing_over_to(self, steps: Collection[str]) -> Rollout:
        """Return it with handovers to these steps alone."""
        among = (replace(each, to=tuple(step for step in each.to if step in steps)) for each in self.handovers)
        return replace(self, handovers=tuple(each for each in among if each.to))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What stands behind a verdict.

    Errors have been shown by data, but for `unshown` of them, for which there was no time; for `untried` no fix was looked for, as there
    was no time or, for `over_limit` of them, enough of the same pair had been tried. Of the pairs that no error speaks against, `pairs` have been tried with `data`
    data, all of which were decoded, and `unproved` have not, for which there was no time.
    """

    unshown: int = 0
    untried: int = 0
    over_limit: int = 0
    unproved: int = 0
    pairs: int = 0
    data: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What is to be said about contracts and their changes.

    `graph` and `growth` are of the present contracts, by workflow. `rollouts` has one for each baseline and workflow that has changed.
    `pairs` answers about all pairs of a view and a version that can meet; `proof` tells what `stamp.ripple.proof` has made of them.
    """

    impacts: tuple[Impact, ...]
    rollouts: tuple[Rollout, ...]
    graph: Mapping[str, Graph]
    growth: Mapping[str, Growth]
    pairs: Pairs
    proof: Proof | None = None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone, in the order of the impacts: the more severe first."""
        return tuple(impact.finding for impact in self.impacts)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of all rollouts."""
        return tuple(phase for rollout in self.rollouts for phase in rollout.phases)

    @property
    def worst(self) -> Severity | None:
        """The highest severity there is; None when nothing was found."""
        return min((finding.severity for finding in self.findings), key=lambda each: each.rank, default=None)
