"""Lines and columns of the values of a JSON document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.compat.position import Position, positions, step

TEXT = """
{ "a": [1, "two",
        {"b": null}],
  "c/d~e": {"\\"}]": true}, "": [ ] , "é": -1.5e3
}
"""

AT: list[tuple[str, int, int]] = [
    ("", 2, 1),
    ("/a", 2, 8),
    ("/a/0", 2, 9),
    ("/a/1", 2, 12),
    ("/a/2", 3, 9),
    ("/a/2/b", 3, 15),
    ("/c~1d~0e", 4, 12),
    ('/c~1d~0e/"}]', 4, 21),
    ("/", 4, 32),
    ("/é", 4, 43),
]


@pytest.mark.parametrize(("pointer", "line", "column"), AT)
def test_a_value_has_its_line_and_column(pointer: str, line: int, column: int) -> None:
    assert positions(TEXT)[pointer] == Position(line, column)


def test_nothing_else_has_a_place() -> None:
    assert set(positions(TEXT)) == {pointer for pointer, _, _ in AT}


def test_a_scalar_is_a_document_too() -> None:
    assert positions(' "int" ') == {"": Position(1, 2)}


def test_lines_may_end_as_they_do_elsewhere() -> None:
    assert positions('{\r\n"a": 1}')["/a"] == Position(2, 6)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.sampled_from([None, 0, 1, "\t"]), st.booleans())
def test_what_stands_at_each_position_is_the_value_there(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lines = text.split("\n")
    found = positions(text)
    expected = dict(pointers(value, ""))
    assert set(found) == set(expected)
    for pointer, (line, column) in found.items():
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == expected[pointer]


def pointers(value: Any, pointer: str) -> Any:
    yield pointer, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from pointers(part, pointer + step(key))
