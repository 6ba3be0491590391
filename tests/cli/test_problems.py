"""What is told of an input with very many problems, and how much of them is kept."""

from __future__ import annotations

from stamp.cli.render.findings import REPORTED, Problems, findings


def test_only_the_first_different_problems_are_kept_and_all_are_counted():
    found = Problems()
    assert not found
    for number in range(REPORTED + 1_000):
        found.add(f"envelope[{number}]: expected an envelope")
        found.add("the same")
    lines = str(findings(found, "a hint")).splitlines()
    assert found
    assert len(found.told) == REPORTED
    assert lines[:2] == ["envelope[0]: expected an envelope", f"the same ({REPORTED + 1_000:,} times)"]
    assert lines[REPORTED:] == ["... and 1,001 problems more", "a hint"]
