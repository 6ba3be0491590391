"""New versions that services must know before somebody writes with them. Announcements see to that; where none arrives, people have to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stamp.ripple.report import Handover, Phase
from stamp.ripple.transition import Transition

__all__ = ["handovers"]


def handovers(transition: Transition, phases: Sequence[Phase]) -> Iterator[Handover]:
    """Yield who must know of which new versions before each phase.

    Who was deployed in an earlier phase has the new contracts with it, and so has a step that is new. Who reads nothing of a step carries
    unseen what it writes.
    """
    running = set(transition.old)
    for phase in phases:
        for step in phase.steps:
            versions = tuple(_new_versions(transition, step))
            readers = tuple(each for each in sorted(running - {step}) if _reads(transition, each, step))
            if versions and readers:
                yield Handover(phase=phase.number, step=step, versions=versions, to=readers)
        running -= set(phase.steps)


def _new_versions(transition: Transition, step: str) -> Iterator[str]:
    workflow = transition.workflow
    for version in transition.study.now.versions(workflow, step):
        if not transition.baseline.has(workflow, version):
            yield version.label


def _reads(transition: Transition, reader: str, step: str) -> bool:
    return any(step in contract.reads for contract in transition.versions(reader))
