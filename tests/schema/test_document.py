from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamp.errors import SchemaError
from stamp.schema.lint import parse


@pytest.mark.parametrize(
    "text", ['{"type": "int", "x": [1, 2.5, null, true, "é"]}', ' "int"\n', "[]", "12345678901234567890"]
)
def test_json_is_parsed_from_text_and_from_bytes(text: str) -> None:
    assert parse(text) == parse(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.avsc:1: expected JSON: Expecting value at column 1"),
        ('{"a": 1,\n  "b" 2}', "x.avsc:2: expected JSON: Expecting ':' delimiter at column 7"),
        ('{"a": 1} x', "x.avsc:1: expected JSON: Extra data at column 10"),
        ('{"a": 1, "b": {"c": 1, "d": 2, "c": 3}}', "x.avsc: expected JSON: the key 'c' comes twice in one object"),
        ('{"a": NaN}', "x.avsc: expected JSON: NaN is no JSON number"),
        ('{"a": -Infinity}', "x.avsc: expected JSON: -Infinity is no JSON number"),
        (b'{"a": "\xff"}', "x.avsc: expected UTF-8: invalid start byte (at byte 7)"),
        ("\ufeff{}", "x.avsc:1: expected JSON: Unexpected UTF-8 BOM"),
        ("[" * 100_000, "x.avsc: expected at most 200 levels, got far more"),
        ("-" + "1" * 6_000, "x.avsc: expected JSON: a number has at most 640 digits, got one of 6,000"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str | bytes, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse(text, file="x.avsc")
    assert str(caught.value).startswith(message)


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_json_writes_is_read_back(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@given(junk=st.binary() | st.text(alphabet='{}[]":,truefalsn0123.-eE \n\\'))
def test_junk_raises_nothing_else(junk: str | bytes) -> None:
    with contextlib.suppress(SchemaError):
        parse(junk)
