"""All rules, in the order in which they are told: what breaks, what changes a meaning, what may, what is good to know.

A rule is a file of this folder, called as its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stamp.compat.rule import ALL, Rule
from stamp.compat.rules import (
    alias_ambiguous,
    alias_claimed_twice,
    alias_with_default,
    attribute_ignored,
    bytes_read_as_string,
    constraint_undecided,
    decimal_narrowed,
    decimal_scale_changed,
    default_changed,
    enum_extended_without_default,
    enum_reordered,
    enum_symbols_read_as_default,
    fixed_size_mismatch,
    format_narrowed,
    length_narrowed,
    logical_type_added,
    logical_type_mismatch,
    logical_type_removed,
    lossy_promotion,
    missing_enum_symbols,
    missing_union_branch,
    name_mismatch,
    range_narrowed,
    reader_field_missing_default_value,
    text_read_as_uuid,
    time_unit_changed,
    time_unit_narrowed,
    type_mismatch,
    values_narrowed,
)

__all__ = [
    "ENFORCED",
    "MISSING_UNION_BRANCH",
    "NAME_MISMATCH",
    "RULES",
    "RULES_BY_KIND",
    "STRUCTURAL",
    "STRUCTURAL_BY_KIND",
]

_MATCHING: Final = (
    type_mismatch.RULE,
    name_mismatch.RULE,
    fixed_size_mismatch.RULE,
    missing_enum_symbols.RULE,
    reader_field_missing_default_value.RULE,
    missing_union_branch.RULE,
)
"""Errors by the letter of Avro's schema resolution."""

_CONSTRAINTS: Final = (
    values_narrowed.RULE,
    range_narrowed.RULE,
    length_narrowed.RULE,
    format_narrowed.RULE,
)
"""Errors by what the reader's model refuses, which Avro does not see."""

_MEANING: Final = (
    logical_type_mismatch.RULE,
    decimal_narrowed.RULE,
    time_unit_narrowed.RULE,
    *_CONSTRAINTS,
    text_read_as_uuid.RULE,
    constraint_undecided.RULE,
    decimal_scale_changed.RULE,
    time_unit_changed.RULE,
    attribute_ignored.RULE,
    logical_type_added.RULE,
    logical_type_removed.RULE,
    lossy_promotion.RULE,
    bytes_read_as_string.RULE,
    alias_with_default.RULE,
    alias_claimed_twice.RULE,
    alias_ambiguous.RULE,
    default_changed.RULE,
    enum_reordered.RULE,
    enum_extended_without_default.RULE,
    enum_symbols_read_as_default.RULE,
)
"""What Avro's own checkers do not look at."""

RULES: Final[tuple[Rule, ...]] = (*_MATCHING, *_MEANING)
"""Every rule."""

STRUCTURAL: Final = frozenset(rule.id for rule in _MATCHING)
"""The ids of the rules that have a counterpart in Java's SchemaIncompatibilityType."""

ENFORCED: Final = frozenset(rule.id for rule in (*_CONSTRAINTS, text_read_as_uuid.RULE, constraint_undecided.RULE))
"""The ids of the rules about what a model enforces of what Avro lets pass."""

MISSING_UNION_BRANCH: Final = missing_union_branch.RULE
NAME_MISMATCH: Final = name_mismatch.RULE


def _by_kind(rules: Sequence[Rule]) -> Mapping[str, Sequence[Rule]]:
    return {kind: tuple(rule for rule in rules if kind in rule.kinds) for kind in ALL}


RULES_BY_KIND: Final = _by_kind(RULES)
"""The rules that look at a reader's type of each kind."""

STRUCTURAL_BY_KIND: Final = _by_kind(_MATCHING)
"""Those of them that are about the letter of schema resolution."""
