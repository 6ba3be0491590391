"""What a plan says of the errors that a check finds: how many there are, and that no order of deployment mends them."""

from __future__ import annotations

from stamp.cli.render.quantity import counted
from stamp.cli.render.same import grouped
from stamp.cli.verdict import Verdict
from stamp.compat import Severity
from stamp.ripple.rules import no_safe_order

__all__ = ["errors"]


def errors(verdict: Verdict) -> str | None:
    """Return a sentence, with the number that `stamp check` tells; None when there is no error besides that no order is safe."""
    found = [each for each in grouped(verdict.impacts) if each.finding.severity is Severity.ERROR]
    others = [each for each in found if each.finding.rule != no_safe_order.RULE.id]
    if not others:
        return None
    if len(others) == len(found):
        return f"`stamp check` finds {counted(len(found), 'error')}, which no order of deployment mends."
    return f"`stamp check` finds {counted(len(found), 'error')}; {len(others)} of them no order of deployment mends."
