"""The verdict on contracts, as `stamp check` and `stamp plan` ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from stamp.cli.accepted import acceptances
from stamp.cli.reviewed import reviewed
from stamp.cli.verdict import Verdict
from stamp.cli.workspace import names_revision, states, tell
from stamp.compat import Severity
from stamp.ripple import Reading, accept, ripple
from stamp.ripple.repository import is_around
from stamp.workflow.draft import Changes

__all__ = ["Scope", "judged"]


class Scope(NamedTuple):
    """What is looked at: all workflows, or these, compared with each of `against`, which has to have contracts where that `is_required`."""

    against: Sequence[str] = ()
    workflows: Sequence[str] = ()
    is_required: bool = False


def judged(
    folder: Path,
    scope: Scope,
    *,
    today: date,
    fail_on: Severity = Severity.ERROR,
    mode: str | None = None,
    pending: Sequence[Changes] = (),
    readings: Sequence[Reading] = (),
) -> Verdict:
    """Return the verdict on the contracts in a folder, as they are and against what they are compared with, with what is accepted.

    Raises:
        InputError: there are no such contracts, no such baseline, or one without contracts that `is_required`, or the settings are not in order.
        ContractError, SchemaError: a contract contradicts itself or cannot be read.
    """
    now, *baselines = states(folder, against=scope.against, is_required=scope.is_required, workflows=scope.workflows)
    report = ripple(now, baselines, today=today, mode=mode, pending=pending, readings=readings)
    is_all = bool(baselines) and not scope.workflows
    entries = acceptances()
    known = reviewed(scope.against) if entries else None
    names = tuple(baseline.name for baseline in baselines)
    if entries and names and is_around() and not any(map(names_revision, scope.against)):
        _say_unknown(names)
    report = accept(report, entries, today=today, unused=is_all, known=known)
    empty = frozenset(baseline.name for baseline in baselines if not baseline.steps)
    return Verdict(report=report, schemas=folder, baselines=names, empty=empty, fail_on=fail_on)


def _say_unknown(baselines: Sequence[str]) -> None:
    """Tell of entries of which nobody can say whether the change brings them."""
    tell(
        f"what the settings accept is not known of {', '.join(baselines)}: an entry that this change brings is not told "
        "(acceptance-changed). To have it told, compare with a revision, too"
    )
