"""Lines are numbered, none is lost, and none takes more memory than it may."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.cli.lines import Line, lines


def numbered(data, longest=10):
    return [(line.number, line.data, line.is_too_long) for line in lines(io.BytesIO(data), longest)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a", [(1, b"a", False)]),
        (b"a\n", [(1, b"a", False)]),
        (b"a\r\n\r\nb", [(1, b"a", False), (3, b"b", False)]),
        (b"\n \t\nc\n", [(3, b"c", False)]),
        ("a\u2028b\u0085c\n".encode(), [(1, "a\u2028b\u0085c".encode(), False)]),
        (b"1234567890\nb", [(1, b"1234567890", False), (2, b"b", False)]),
        (b"1234567890", [(1, b"1234567890", False)]),
        (b"12345678901\nb", [(1, b"1234567890", True), (2, b"b", False)]),
        (b"1234567890" * 5 + b"\nb", [(1, b"1234567890", True), (2, b"b", False)]),
        (b"1234567890" * 5, [(1, b"1234567890", True)]),
    ],
)
def test_lines_end_at_newlines_alone(data, expected):
    assert numbered(data) == expected


@given(st.lists(st.binary(max_size=30).filter(lambda each: b"\n" not in each)), st.integers(1, 12))
def test_nothing_is_lost(parts, longest):
    found = {}
    for line in lines(io.BytesIO(b"\n".join(parts)), longest):
        found[line.number] = line.data + b"".join(line.rest)
        assert len(line.data) <= longest
    assert {number: data.rstrip(b"\r") for number, data in found.items()} == {
        number: part.rstrip(b"\r") for number, part in enumerate(parts, 1) if part.strip() or len(part) > longest
    }


def test_a_line_that_has_no_end_is_read_in_pieces():
    class Endless(io.RawIOBase):
        def readline(self, size=-1):
            assert size <= 11
            return b"x" * size

    line = next(lines(Endless(), 10))
    assert line == Line(1, b"x" * 10, is_too_long=True)
    assert len(next(line.rest)) <= 11
