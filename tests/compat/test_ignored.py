"""Words under `stamp` that say nothing where they stand: each is told, none is an error, and what counts is not told."""

from __future__ import annotations

from typing import Any

import pytest

from stamp.compat import Severity, check
from stamp.schema import lint
from stamp.schema.ignored import MAX_TOLD


def record(type_: Any, said: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    field = {"name": "x", "type": type_} | ({} if said is None else {"stamp": said})
    return {"type": "record", "name": "R", "fields": [field], **more}


INT_OR_TEXT = ["int", "string"]
LIST = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "int"}
PAIR = {"type": "record", "name": "Pair", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}
INSIDE = {"type": "int", "stamp": {"maximum": 5}}

IGNORED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another case": (record("int", {"Maximum": 5}), "/fields/0/stamp/Maximum", "did you mean maximum?"),
    "a typing error": (record("int", {"minimun": 5}), "/fields/0/stamp/minimun", "did you mean minimum?"),
    "a letter too few": (
        record("int", {"maximum": 9, "exclusiveMaxmum": 5}),
        "/fields/0/stamp/exclusiveMaxmum",
        "did you mean exclusiveMaximum?",
    ),
    "another convention": (record("string", {"max_length": 5}), "/fields/0/stamp/max_length", "mean maxLength?"),
    "pydantic's name": (record("int", {"le": 5}), "/fields/0/stamp/le", "did you mean maximum?"),
    "a word like none": (record("int", {"zzz": 5}), "/fields/0/stamp/zzz", 'got "zzz"'),
    "a very long word": (record("int", {"maximum" * 99: 5}), f"/fields/0/stamp/{'maximum' * 99}", "..."),
    "a word with a slash": (record("int", {"a/b~": 5}), "/fields/0/stamp/a~1b~0", 'got "a/b~"'),
    "bounds of a boolean": (record("boolean", {"minimum": 5}), "/fields/0/stamp/minimum", "about numbers"),
    "lengths of a number": (record("int", {"maxLength": 5}), "/fields/0/stamp/maxLength", "about texts and bytes"),
    "a pattern of bytes": (record("bytes", {"pattern": "a"}), "/fields/0/stamp/pattern", "about texts"),
    "digits of a decimal": (
        record({"type": "bytes", "logicalType": "decimal", "precision": 4}, {"maxDigits": 2}),
        "/fields/0/stamp/maxDigits",
        "decimals in text",
    ),
    "keys of a list": (record(LIST, {"maxProperties": 5}), "/fields/0/stamp/maxProperties", "about maps"),
    "items of a map": (record(MAP, {"items": {"maximum": 5}}), "/fields/0/stamp/items", "about arrays"),
    "values at a list": (record(LIST, {"maximum": 5}), "/fields/0/stamp/maximum", "about array of int"),
    "misspelt in items": (record(LIST, {"items": {"Maximum": 5}}), "/fields/0/stamp/items/Maximum", "mean maximum?"),
    "misspelt in values": (
        record(MAP, {"additionalProperties": {"Maximum": 5}}),
        "/fields/0/stamp/additionalProperties/Maximum",
        "mean maximum?",
    ),
    "numbers of keys": (
        record(MAP, {"propertyNames": {"items": {}}}),
        "/fields/0/stamp/propertyNames/items",
        "about arrays",
    ),
    "misspelt in a tuple": (
        record(PAIR, {"prefixItems": [{"maximum": 5}, {"maximum": 5, "maxLenght": 5}]}),
        "/fields/0/stamp/prefixItems/1/maxLenght",
        "mean maxLength?",
    ),
    "more places than fields": (
        record(PAIR, {"prefixItems": [{}, {}, {"maximum": 5}]}),
        "/fields/0/stamp/prefixItems/2",
        "at most 2",
    ),
    "a word beside branches": (record(INT_OR_TEXT, {"maximum": 5}), "/fields/0/stamp/maximum", "expected anyOf"),
    "a branch of another type": (
        record(INT_OR_TEXT, {"anyOf": [{"maximum": 5}, {"minItems": 5}]}),
        "/fields/0/stamp/anyOf/1/minItems",
        "about string",
    ),
    "branches of one type": (record(["null", "int"], {"anyOf": [{}, {}]}), "/fields/0/stamp/anyOf", "about int"),
    "inside a type": (record(INSIDE), "/fields/0/type/stamp/maximum", "beside the type of a field"),
    "inside items": (record({"type": "array", "items": INSIDE}), "/fields/0/type/items/stamp/maximum", "beside"),
    "inside values": (record({"type": "map", "values": INSIDE}), "/fields/0/type/values/stamp/maximum", "beside"),
    "inside a branch": (record(["null", INSIDE]), "/fields/0/type/1/stamp/maximum", "beside the type of a field"),
    "inside an enum": (
        record({"type": "enum", "name": "E", "symbols": ["a"], "stamp": {"enum": ["a"]}}),
        "/fields/0/type/stamp/enum",
        "beside the type of a field",
    ),
    "at the record": (record("int", stamp={"maximum": 5}), "/stamp/maximum", "under stamp of a field"),
    "misspelt at the record": (record("int", stamp={"Validator": "M"}), "/stamp/Validator", "mean validator?"),
    "no object inside a type": (record({"type": "int", "stamp": 5}), "/fields/0/type/stamp", "expected an object"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "pointer", "text"), IGNORED.values(), ids=IGNORED.keys())
def test_a_word_that_counts_for_nothing_is_told_where_it_stands(schema: Any, pointer: str, text: str) -> None:
    lint(schema)
    (finding,) = check(schema, schema)

    assert (finding.rule, finding.severity) == ("attribute-ignored", Severity.WARNING)
    assert finding.pointer == pointer
    assert finding.message.startswith("the reader's is ignored: expected ")
    assert text in finding.message


@pytest.mark.parametrize(("schema", "pointer", "text"), IGNORED.values(), ids=IGNORED.keys())
def test_it_is_told_of_the_writer_alone(schema: Any, pointer: str, text: str) -> None:
    found = [each for each in check(_without(schema), schema) if each.rule == "attribute-ignored"]

    assert [each.severity for each in found] == [Severity.WARNING]
    assert found[0].message.startswith("the writer's is ignored: expected ")
    assert text in found[0].message


def _without(schema: Any) -> Any:
    """Return a schema in which nothing is said under `stamp`."""
    if isinstance(schema, list):
        return [_without(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without(value) for key, value in schema.items() if key != "stamp"}


COUNTS: dict[str, dict[str, Any]] = {
    "numbers": record("int", {"minimum": 1, "exclusiveMaximum": 5, "multipleOf": 2, "finite": True, "enum": [2, 4]}),
    "texts": record("string", {"minLength": 1, "pattern": "a", "format": "uri", "schemes": ["a"], "maxDigits": 3}),
    "bytes": record("bytes", {"maxLength": 5, "enum": ["a"]}),
    "a decimal": record({"type": "bytes", "logicalType": "decimal", "precision": 4}, {"minimum": "1"}),
    "words of one's own": record({"type": "int", "stamp": {"x-a": 1}}, {"x-unit": "kg"}, stamp={"x-b": 1}),
    "a date": record({"type": "int", "logicalType": "date"}, {"minimum": "2026-01-01"}),
    "something optional": record(["null", "int"], {"maximum": 5}),
    "lists": record(LIST, {"maxItems": 5, "uniqueItems": True, "items": {"maximum": 5, "validator": "f"}}),
    "maps": record(MAP, {"maxProperties": 5, "propertyNames": {"maxLength": 5}, "additionalProperties": {"minimum": 5}}),
    "tuples": record(PAIR, {"prefixItems": [{"maximum": 5}]}),
    "unions": record(["null", *INT_OR_TEXT], {"anyOf": [{}, {"maximum": 5}, {"maxLength": 5}], "validator": "f"}),
    "validators": record("int", {"validator": "f"}, stamp={"validator": "M"}),
    "a tuple in itself": {
        "type": "record",
        "name": "Node",
        "fields": [
            {
                "name": "next",
                "type": ["null", "Node"],
                "stamp": {"prefixItems": [{}, {"maximum": 5}]},
            },
            {"name": "x", "type": "int"},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("schema", COUNTS.values(), ids=COUNTS.keys())
def test_what_counts_is_not_told(schema: Any) -> None:
    assert check(schema, schema) == ()


def test_of_many_words_some_are_told_and_the_others_counted() -> None:
    schema = record("int", {f"word{number}": 1 for number in range(5_000)})
    found = check(schema, schema)

    assert len(found) == MAX_TOLD
    assert found[-1].message.endswith("(and 4,980 more words that count for nothing)")
