"""All rules of a check, whatever they look at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from stamp import compat, ripple

__all__ = ["KINDS", "RULEBOOK", "Rule", "kind"]

Rule: TypeAlias = compat.Rule | ripple.Rule
"""A rule, and the words about it."""

KINDS: Final = {
    "workflow": "who breaks, what a change takes away, how steps hang together",
    "schema": "why a view cannot read what is written, or reads another meaning",
}
"""What rules are about."""

_ALL: Final[tuple[Rule, ...]] = (*ripple.RULES, *compat.RULES)

RULEBOOK: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in _ALL})
"""Every rule by its id, those of workflows first."""


def kind(rule: Rule) -> str:
    """Return which of KINDS a rule is of."""
    return "schema" if isinstance(rule, compat.Rule) else "workflow"
