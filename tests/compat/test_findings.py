"""Findings that are looked for when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stamp.compat import Finding, Severity, check
from stamp.compat.findings import Findings

FOUND = Finding(rule="type-mismatch", severity=Severity.ERROR, path="a", message="expected int, got string")


class Search:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Sequence[Finding]:
        self.calls += 1
        return [FOUND]


@pytest.fixture
def search() -> Search:
    return Search()


def test_that_there_are_some_is_known_without_a_search(search):
    assert Findings(search)
    assert Findings(search) != ()
    assert search.calls == 0


def test_they_are_searched_for_once(search):
    found = Findings(search)
    assert len(found) == 1
    assert found[0] is FOUND
    assert found[:1] == (FOUND,)
    assert list(found) == [FOUND]
    assert FOUND in found
    assert search.calls == 1


def test_they_are_equal_to_others_with_the_same_in_them(search):
    assert Findings(search) == (FOUND,) == Findings(search) == [FOUND]
    assert Findings(search) != (FOUND, FOUND)
    assert Findings(search) != "type-mismatch"
    assert hash(Findings(search)) == hash((FOUND,))
    assert repr(Findings(search)) == repr((FOUND,))


def test_errors_of_a_check_are_findings_that_name_the_field():
    (found,) = check('"int"', '"string"')
    assert (found.rule, found.severity, found.path) == ("type-mismatch", Severity.ERROR, "")


def test_a_schema_that_was_changed_in_place_is_another_one():
    reader = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}
    writer = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}
    assert check(reader, writer) == ()
    writer["fields"][0]["type"] = "string"
    assert check(reader, writer)
    writer["fields"][0]["type"] = "int"
    assert check(reader, writer) == ()


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), (0, False)])
def test_what_python_takes_for_equal_is_not(before, after):
    field = {"name": "a", "type": "int", "default": before}
    reader = {"type": "record", "name": "R", "fields": [field]}
    assert check(reader, reader) == ()
    field["default"] = after
    with pytest.raises(Exception, match="expected a default that fits int"):
        check(reader, reader)
