"""Histories of versions."""

from __future__ import annotations

from typing import Any

import pytest

from stamp.compat import MODES, check_versions
from stamp.errors import InputError


def record(**types: str) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": type_} for name, type_ in types.items()]}


HISTORY = [record(x="string"), record(x="int"), record(x="string", y="int"), record(x="int", y="int")]
"""The last one reads the one before it in no direction; of those before, some."""

PAIRS: dict[str, list[tuple[int, int]]] = {
    "BACKWARD": [(3, 2)],
    "FORWARD": [(2, 3)],
    "FULL": [(3, 2), (2, 3)],
    "BACKWARD_TRANSITIVE": [(3, 0), (3, 1), (3, 2)],
    "FORWARD_TRANSITIVE": [(0, 3), (1, 3), (2, 3)],
    "FULL_TRANSITIVE": [(3, 0), (0, 3), (3, 1), (1, 3), (3, 2), (2, 3)],
}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_says_which_pairs_are_compared(mode: str) -> None:
    assert [(each.reader, each.writer) for each in check_versions(HISTORY, mode)] == PAIRS[mode]


def test_every_bad_version_is_told_not_only_the_first() -> None:
    bad = [each.writer for each in check_versions(HISTORY, "BACKWARD_TRANSITIVE") if not each.is_compatible]
    assert bad == [0, 1, 2]
    first, second, third = check_versions(HISTORY, "BACKWARD_TRANSITIVE")
    assert {finding.path for finding in first.findings} == {"x", "y"}
    assert {finding.path for finding in second.findings} == {"y"}
    assert {finding.path for finding in third.findings} == {"x"}


def test_a_compatible_pair_is_told_too() -> None:
    (comparison,) = check_versions([record(x="int"), record(x="long")], "BACKWARD")
    assert comparison.is_compatible
    assert comparison.findings == ()


def test_a_warning_is_no_incompatibility() -> None:
    (comparison,) = check_versions([record(x="long"), record(x="double")], "BACKWARD")
    assert comparison.is_compatible
    assert comparison.findings != ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("versions", [[], HISTORY[:1]])
def test_a_history_without_a_past_has_nothing_to_compare(mode: str, versions: list[Any]) -> None:
    assert check_versions(versions, mode) == ()


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected a mode, one of BACKWARD, .*got SIDEWAYS"):
        check_versions(HISTORY, "SIDEWAYS")
