"""What a check has come to: what was found, what of that is accepted, and whether it fails."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stamp.cli.checkout import HERE, Checkout
from stamp.compat import Severity
from stamp.ripple import Impact, Report

__all__ = ["Verdict"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of a check of the contracts in `schemas` against `baselines`, by their names. It fails from `fail_on` on.

    Of the baselines some are `empty`. `checkout` says where it ran: reports that are read elsewhere call files by their names in the repository.
    """

    report: Report
    schemas: Path
    baselines: tuple[str, ...]
    empty: frozenset[str] = frozenset()
    fail_on: Severity
    checkout: Checkout = HERE

    @property
    def compared(self) -> tuple[str, ...]:
        """What the baselines are called where people read it, with what they should know."""
        return tuple(f"{each}, which has no contracts" if each in self.empty else each for each in self.baselines)

    @cached_property
    def impacts(self) -> tuple[Impact, ...]:
        """What is to be told: what nobody has accepted, the more severe first."""
        return tuple(impact for impact in self.report.impacts if impact.accepted is None)

    @cached_property
    def accepted(self) -> tuple[Impact, ...]:
        """What somebody has accepted, with a reason."""
        return tuple(impact for impact in self.report.impacts if impact.accepted is not None)

    @property
    def is_failed(self) -> bool:
        """Whether something of the severity `fail_on`, or a higher one, is not accepted."""
        return any(impact.finding.severity.rank <= self.fail_on.rank for impact in self.impacts)

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity there are that are not accepted."""
        return sum(impact.finding.severity is severity for impact in self.impacts)

    @property
    def summary(self) -> dict[str, int]:
        """How many findings there are of each severity, and how many are accepted."""
        return {each.value: self.count(each) for each in Severity} | {"accepted": len(self.accepted)}
