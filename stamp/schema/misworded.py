"""What is wrong with the constraint of a field, or with what a record says under `stamp`: words of another type, or without measure.

A constraint comes from whoever wrote the schema. Its patterns are only compared, as texts, and looked for with an engine that takes
linear time; numbers are written out, so that no short text is a number of a billion digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stamp.schema.constraint import LISTS, PARTS
from stamp.schema.document import shown
from stamp.schema.limits import MAX_DEPTH, MAX_PATTERN, MAX_SYMBOLS

__all__ = ["miswordings"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_bound(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and _BOUND.fullmatch(value) is not None)


_DECIMAL: Final = re.compile(r"-?[0-9]{1,1100}(\.[0-9]{1,1100})?")
_BOUND: Final = re.compile(_DECIMAL.pattern + r"|[0-9]{4}-[0-9T:.+Z-]{5,40}|[0-9]{2}:[0-9:.]{2,15}")
"""A decimal, a date or a date and time, a time of day."""


def _is_step(value: Any) -> bool:
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None and value[0] != "-" and value.strip("0.") != ""
    return _is_number(value) and value > 0


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_pattern(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_PATTERN


def _are_values(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_SYMBOLS
        and all(isinstance(each, str | int | float) for each in value)
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_SYMBOLS and all(isinstance(each, str) for each in value)


_LEGAL: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(
        ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
        (_is_bound, "a number, or a decimal, date or time in text"),
    ),
    "multipleOf": (_is_step, "a number above 0"),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        (_is_count, "a whole number from 0 on"),
    ),
    **dict.fromkeys(("maxDigits", "decimalPlaces"), (_is_count, "a whole number from 0 on")),
    **dict.fromkeys(("uniqueItems", "finite"), (_is_flag, "true or false")),
    "pattern": (_is_pattern, f"a text of at most {MAX_PATTERN} characters"),
    "format": (_is_pattern, "the name of a format"),
    "validator": (_is_pattern, "the name of a model or of its field"),
    "enum": (_are_values, f"a list of 1 to {MAX_SYMBOLS} texts, numbers, or true and false"),
    "schemes": (_are_texts, "a list of texts"),
}


def miswordings(said: Any, depth: int = 0) -> Iterator[str]:
    """Yield what is wrong with a constraint in its JSON form, as texts."""
    if not isinstance(said, dict) or depth > MAX_DEPTH:
        yield f"expected an object of at most {MAX_DEPTH} levels under stamp, got {shown(said)}"
        return
    for word, value in said.items():
        is_legal, expected = _LEGAL.get(word, (lambda _: True, ""))
        if not is_legal(value):
            yield f"expected {word} to be {expected}, got {shown(value)}"
        if word in PARTS:
            yield from _inside(word, value, depth + 1)


def _inside(word: str, value: Any, depth: int) -> Iterator[str]:
    if word not in LISTS:
        yield from miswordings(value, depth)
    elif not isinstance(value, list):
        yield f"expected {word} to be a list, got {shown(value)}"
    else:
        for each in value:
            yield from miswordings(each, depth)
