"""Which types a reader reads, where the specification leaves a choice."""

from __future__ import annotations

from typing import Any

import pytest

from stamp.errors import ResolutionError
from stamp.schema.decoder import decoder
from stamp.schema.resolve import Readability
from stamp.schema.types import load

DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": list(fields)}


SWAPPED = record({"name": "y", "type": "long", "aliases": ["x"]}, {"name": "x", "type": "long", "aliases": ["y"]})
FIVE_SEVEN = b"\x0a\x0e"


def test_two_fields_can_swap_their_names() -> None:
    written = record({"name": "x", "type": "long"}, {"name": "y", "type": "long"})
    assert decoder(written, SWAPPED)(FIVE_SEVEN) == {"y": 5, "x": 7}


def test_fields_that_have_swapped_their_names_already_are_not_swapped_again() -> None:
    assert decoder(SWAPPED, SWAPPED)(FIVE_SEVEN) == {"y": 5, "x": 7}


@pytest.mark.parametrize(("writer", "reader"), [("string", DECIMAL), (DECIMAL, "string")])
def test_text_is_no_decimal(writer: Any, reader: Any) -> None:
    assert not Readability().is_readable(load(writer), load(reader))
    assert Readability(meaning=False).is_readable(load(writer), load(reader))
    with pytest.raises(ResolutionError, match="one is text, the other a binary number"):
        decoder(writer, reader)


def test_a_pair_that_is_asked_for_later_knows_what_was_found_before() -> None:
    writer = load({"type": "array", "items": record({"name": "x", "type": "string"})})
    reader = load({"type": "array", "items": record({"name": "x", "type": "int"})})
    readability = Readability()
    assert writer.items is not None
    assert reader.items is not None
    assert not readability.is_readable(writer.items, reader.items)
    assert not readability.is_readable(writer, reader)


def test_items_that_are_unions_are_read_branch_by_branch() -> None:
    items = {"type": "array", "items": ["null", "int"]}
    assert decoder(items, {"type": "array", "items": ["null", "long"]})(b"\2\2\2\0") == [1]
    assert decoder(items, ["null", items])(b"\2\2\2\0") == [1]
    assert Readability().is_readable(load(items), load(["null", items]))


def chain(leaf: str, *, link: Any = "List", first: str = "next") -> dict[str, Any]:
    """A list whose link to the rest comes before, or after, its own value."""
    fields = [{"name": "next", "type": ["null", link]}, {"name": "x", "type": leaf}]
    return {"type": "record", "name": "List", "fields": sorted(fields, key=lambda each: each["name"] != first)}


OBSTACLES: list[tuple[Any, Any, str | None]] = [
    (chain("string"), chain("string"), None),
    (chain("string"), chain("int"), "x: string cannot be read as int"),
    (chain("string", first="x"), chain("int"), "x: string cannot be read as int"),
    (
        record({"name": "head", "type": ["null", chain("string")]}),
        record({"name": "head", "type": chain("int")}),
        "head: null cannot be read as record List",
    ),
    (
        chain("int", link={"type": "array", "items": "List"}),
        chain("int", link={"type": "array", "items": ["null", "string"]}),
        "next[]: record List cannot be read as any branch of union [null, string]",
    ),
    (
        {"type": "map", "values": chain("int", link={"type": "map", "values": "List"})},
        {"type": "map", "values": chain("int", link={"type": "map", "values": ["string", "null"]})},
        "{}.next{}: record List cannot be read as any branch of union [string, null]",
    ),
]


@pytest.mark.parametrize(("writer", "reader", "text"), OBSTACLES)
def test_an_obstacle_is_told_with_its_path_in_recursive_types_too(writer: Any, reader: Any, text: str | None) -> None:
    assert Readability().obstacle(load(writer), load(reader)) == text
