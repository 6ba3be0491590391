"""What somebody has accepted, for people; and what is to be said of that where nothing else of a check is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stamp.cli.render.impact import ordered
from stamp.cli.render.paragraph import item
from stamp.cli.render.same import grouped
from stamp.cli.render.trouble import tag, trouble
from stamp.cli.verdict import Verdict
from stamp.ripple import Impact
from stamp.ripple.rules import acceptance_changed

__all__ = ["accepted", "changed", "changes"]


def accepted(verdict: Verdict, width: int) -> Iterator[str]:
    """Yield lines about what is accepted: by whom it is known, why, and until when."""
    for same in grouped(verdict.accepted):
        entry = same.first.accepted
        assert entry is not None
        until = f", until {entry.until}" if entry.until is not None else ""
        yield from item("accepted", f"{same.message}: {entry.reason}{until}", tag(same), width=width, dim=True)


def changed(verdict: Verdict) -> Sequence[Impact]:
    """Return the findings that the change accepts something itself."""
    return [each for each in ordered(verdict.impacts) if each.finding.rule == acceptance_changed.RULE.id]


def changes(verdict: Verdict, width: int) -> Iterator[str]:
    """Yield lines about what the change accepts itself, as a check has them."""
    told: set[str] = set()
    for same in grouped(changed(verdict)):
        yield from trouble(same, verdict, told, width=width)
