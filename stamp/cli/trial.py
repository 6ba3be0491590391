"""What the checker says of the example of a rule: the very check, not a text about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stamp import compat, ripple
from stamp.cli.rulebook import Rule
from stamp.compat import Finding
from stamp.ripple.example import files

__all__ = ["tried"]


def tried(rule: Rule, *, today: date) -> Sequence[Finding]:
    """Return what is found in the example of a rule, that of the rule itself first. There is none for a rule that looks at code."""
    found = _of_schemas(rule) if isinstance(rule, compat.Rule) else _of_workflow(rule, today)
    return sorted(found, key=lambda finding: finding.rule != rule.id)


def _of_schemas(rule: compat.Rule) -> Sequence[Finding]:
    writer, reader = rule.example
    found = compat.with_fixes(compat.check(reader, writer), reader, writer)
    return compat.with_witnesses(found, reader, writer)


def _of_workflow(rule: ripple.Rule, today: date) -> Sequence[Finding]:
    example = rule.example
    now = ripple.contracts_of(files(example.now), name="now")
    before = [] if example.before is None else [ripple.contracts_of(files(example.before), name="before", like=now)]
    return ripple.ripple(now, before, today=today, mode=example.mode).findings
