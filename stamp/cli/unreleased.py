"""The versions of a contracts folder that nobody has but the present branch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from stamp.cli.workspace import names_revision, states
from stamp.ripple import Contracts, read_baseline
from stamp.ripple.contracts import Version
from stamp.workflow.declaration import FILE

__all__ = ["unreleased"]


def unreleased(
    workflow: str, folder: Path, against: Sequence[str], *, is_required: bool = False
) -> Mapping[str, Collection[str]]:
    """Return the versions of each step of a workflow that follow those which a baseline has, as `Validated.v2`.

    Of a branch its newest commit counts, too: what it has taken over of the present one since is released.

    Raises:
        InputError: this is no contracts folder, or there is no such baseline, or one that `is_required` has no contracts.
        ContractError, SchemaError: a contract contradicts itself.
    """
    if not any(folder.glob(f"*/*/{FILE}")):
        return {}
    now, *baselines = states(folder, against=against, is_required=is_required)
    tips = [read_baseline(each, folder, like=now, merge_base=False) for each in against if names_revision(each)]
    return {
        step: frozenset(_fresh(now.versions(workflow, step), workflow, baselines, tips)) for step in now.of(workflow)
    }


def _fresh(
    versions: Sequence[Version], workflow: str, baselines: Sequence[Contracts], tips: Sequence[Contracts]
) -> Iterator[str]:
    last: defaultdict[str, int] = defaultdict(int)
    for each in versions:
        known = any(str(each) == str(other) for state in baselines for other in state.versions(workflow, each.step))
        if known or any(state.has(workflow, each) for state in tips):
            last[each.written.name] = max(last[each.written.name], each.written.version)
    return (str(each) for each in versions if each.written.version > last[each.written.name])
