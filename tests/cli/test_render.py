"""Whatever the data are: no control character reaches the terminal, and no line is wider than it."""

# ruff: noqa: RUF001 - letters of all scripts are what is tested
from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from unicodedata import category
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from stamp.cli.render.bars import Bar, Part
from stamp.cli.render.datum import brief
from stamp.cli.render.quantity import counted, duration
from stamp.cli.render.table import Col, FittingTable
from stamp.cli.render.value import key_fields, short, value_text
from stamp.cli.render.visible import json_text, visible

ANYTHING = st.text(st.characters(codec=None), max_size=60)
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("Björn Åkesson, 陈美玲, فاطمة", "Björn Åkesson, 陈美玲, فاطمة"),
        ("👩\u200d🔧 می\u200cخواهم", "👩\u200d🔧 می\u200cخواهم"),
        ("\x1b]0;title\x07\x1b[31m", "\\x1b]0;title\\x07\\x1b[31m"),
        ("a\nb\r\tc\x00\x7f\x85\x9b1m", "a\\nb\\r\\tc\\x00\\x7f\\x85\\x9b1m"),
        ("\u202eevil\u2066\u2028\ufeff\u00ad", "\\u202eevil\\u2066\\u2028\\ufeff\\xad"),
        ("\U000e0041\ud800", "\\U000e0041\\ud800"),
    ],
)
def test_what_a_terminal_would_act_on_is_shown(text, shown):
    assert visible(text) == shown


@given(ANYTHING)
def test_nothing_hidden_is_left(text):
    assert not [each for each in visible(text) if category(each) in HIDDEN and each not in "\u200c\u200d"]


@given(
    st.recursive(ANYTHING | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANYTHING, inner))
)
def test_json_is_one_safe_line_that_says_the_same(value):
    text = json_text(value)
    assert visible(text) == text
    assert json.loads(text) == value


def test_json_stays_readable():
    assert json_text({"name": "Jürgen 陈\u202e"}) == '{"name": "Jürgen 陈\\u202e"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0.00"),
        ("", '""'),
        (" a", '" a"'),
        ("a\n", '"a\\n"'),
        ("plain", "plain"),
        (b"\xc3\x01", "c301"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 1, 2, 3, 4, UTC), "2026-03-02 01:02:03.000004 UTC"),
        (datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1))), "2026-03-02 00:00:00 UTC"),
        (datetime(2026, 3, 2, 1), "2026-03-02 01:00:00"),
        (timedelta(hours=4), "4:00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ([1, "a", None], "[1, a, null]"),
        ({"a": {"b\x1b": ["x"]}}, "{a: {b\\x1b: [x]}}"),
        ({}, "{}"),
    ],
)
def test_values_are_short_texts(value, text):
    assert value_text(value) == text


def test_fields_that_say_much_in_few_letters_come_first():
    assert (
        key_fields({"customer": {"a": 1}, "plan": "HOME", "note": None, "n": 5, "text": "x" * 99})
        == f"plan=HOME n=5 text={'x' * 31}…"
    )


@pytest.mark.parametrize(("text", "longest", "cut"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 3, "")])
def test_what_is_cut_off_is_marked(text, longest, cut):
    assert short(text, longest) == cut


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0"),
        (1, "1 µs"),
        (999, "999 µs"),
        (1_000, "1 ms"),
        (1_234, "1.23 ms"),
        (12_345, "12.3 ms"),
        (123_456, "123 ms"),
        (999_499, "999 ms"),
        (999_500, "1.00 s"),
        (1_500_000, "1.50 s"),
        (59_000_000, "59 s"),
        (61_000_000, "1 min 1 s"),
        (3_600_000_000, "1 h 0 min"),
        (90_000_000_000, "1 d 1 h"),
        (-1_234, "-1.23 ms"),
        (-90_000_000_000, "-1 d 1 h"),
    ],
)
def test_durations_have_three_digits_or_two_units(micros, text):
    assert duration(timedelta(microseconds=micros)) == text


def test_numbers_go_with_their_nouns():
    assert [counted(number, "line") for number in (0, 1, 1_200)] == ["0 lines", "1 line", "1,200 lines"]


def printed(renderable, width, **options):
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False, **options).print(renderable)
    return file.getvalue()


@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=3), st.integers(1, 120))
@example([("👨‍👩‍👧‍👦" * 9, "ｗｉｄｅ" * 9, "é" * 9)], 7)
def test_a_table_fits_and_holds_no_control_character(rows, width):
    table = FittingTable(Col("a"), Col("b", 30, "right"), Col("c", share=1), title="T")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    lines = printed(table, width).split("\n")
    assert max(map(cell_len, lines)) <= width
    assert not [each for line in lines for each in line if category(each) in HIDDEN and each not in "\u200c\u200d"]


SHARES = st.floats(0, 1, allow_nan=False)


@given(st.lists(SHARES, min_size=3, max_size=3).map(sorted), st.integers(1, 60))
def test_a_bar_fits_and_no_part_with_a_length_vanishes(points, width):
    begin, middle, end = points
    bar = Bar(Part(begin, middle, "░", ".", ""), Part(middle, end, "█", "#", ""))
    [line] = printed(bar, width).splitlines()
    assert len(line) <= width
    assert "█" in line or end == middle or width == 1
    assert "░" in line or middle == begin or width == 1


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ({"a": 1}, "", '{"a": 1}'),
        ({"first": "x" * 40, "price": 7}, "price", '{"price": 7, …}'),
        ({"items": [{"name": "x" * 40, "price": 7}, 1]}, "items[].price", '{"items": [{"price": 7, …}, …]}'),
        (
            {"by_day": {"monday": {"name": "x" * 40, "price": 7}}},
            "by_day{}.price",
            '{"by_day": {"monday": {"price": 7, …}}}',
        ),
        ({"a": 1, "b": 2, "long": "x" * 40}, "missing", '{"a": 1, "b": 2, …}'),
        ("x" * 40, "", f'"{"x" * 27}…"'),
    ],
)
def test_a_datum_is_cut_around_what_matters(value, path, said):
    assert brief(value, path, 30) == said


@given(
    st.recursive(st.text("ab") | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner)),
    st.integers(5, 40),
)
def test_a_datum_is_never_cut_within_a_name(value, room):
    said = brief(value, "a", room)
    assert json.loads(said.replace(", …", "").replace("…", "")) is not None
