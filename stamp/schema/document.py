"""The JSON that a schema is written in: text to values, and which values are JSON at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from os import PathLike
from reprlib import Repr
from typing import Any, Final, NoReturn

from stamp.errors import SchemaError
from stamp.schema.limits import MAX_DIGITS, MAX_JSON_DEPTH, MAX_JSON_VALUES

__all__ = ["irregularities", "parse", "pointed", "shown"]


def parse(text: str | bytes, *, file: str | PathLike[str] | None = None) -> Any:
    """Return the value of one JSON document, in UTF-8 when it comes as bytes.

    Stricter than `json.loads`: a key that comes twice in one object, NaN and infinities are refused.

    Raises:
        SchemaError: this is not JSON; with `file`, and the line where that is known.
    """
    try:
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        message = f"expected JSON: {error.msg} at column {error.colno}"
        raise SchemaError(message, file=file, line=error.lineno) from error
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected UTF-8: {error.reason}", offset=error.start, file=file) from error
    except ValueError as error:  # from the three functions below
        raise SchemaError(f"expected JSON: {error}", file=file) from error
    except RecursionError as error:
        raise SchemaError(f"expected at most {MAX_JSON_DEPTH} levels, got far more", file=file) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} comes twice in one object, {shown(value)}")
    return value


def _whole(text: str) -> int:
    digits = len(text.removeprefix("-"))
    if digits > MAX_DIGITS:
        raise ValueError(f"a number has at most {MAX_DIGITS} digits, got one of {digits:,}")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def shown(value: Any) -> str:
    """Return `value` for a message: as JSON, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


_LONGEST: Final = 80


def irregularities(value: Any) -> Iterator[SchemaError]:
    """Yield what keeps a Python value from being plain JSON within bounds, each with its JSON pointer (RFC 6901)."""
    if _is_plain(value):
        return
    stack: list[tuple[str, int, Any]] = [("", 0, value)]
    count = 0
    while stack:
        pointer, depth, item = stack.pop()
        count += 1
        if count > MAX_JSON_VALUES:
            yield SchemaError(f"expected at most {MAX_JSON_VALUES} JSON values, got more")
            return
        if why := _why_irregular(item, depth):
            yield SchemaError(why, path=pointer or None)
        else:
            stack += reversed([(f"{pointer}/{pointed(key)}", depth + 1, part) for key, part in _parts(item)])


def _is_plain(value: Any) -> bool:
    """Tell whether a value consists of few enough of the simplest things, as nearly all do. Quick, not exact."""
    count, level = 1, [value]
    for _ in range(MAX_JSON_DEPTH):
        inside: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict and all(type(key) is str and key.isascii() for key in item):
                inside += item.values()
            elif kind is list:
                inside += item
            elif not (item is None or (kind is str and item.isascii()) or kind is bool or _is_small(item)):
                return False
            if len(inside) > MAX_JSON_VALUES:
                return False
        count += len(inside)
        if not inside or count > MAX_JSON_VALUES:
            return not inside
        level = inside
    return False


def _is_small(value: Any) -> bool:
    return type(value) is int and value.bit_length() < _DOUBLE_BITS


def _why_irregular(value: Any, depth: int) -> str | None:
    match value:
        case None | bool():
            return None
        case int():
            return (
                None
                if value.bit_length() <= _DOUBLE_BITS
                else "expected a number that a double can hold, got a larger one"
            )
        case float():
            return None if isfinite(value) else f"expected a finite number, got {value}"
        case str():
            return None if _is_text(value) else f"expected Unicode text, got half of a surrogate pair in {value!a}"
        case dict() | list() if depth >= MAX_JSON_DEPTH:
            return f"expected at most {MAX_JSON_DEPTH} levels of JSON, got more"
        case list():
            return None
        case dict():
            odd = [key for key in value if not isinstance(key, str) or not _is_text(key)]
            return f"expected keys that are text, got {_REPR.repr(odd[0])}" if odd else None
    return f"expected JSON, got {_REPR.repr(value)} of type {type(value).__name__}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return [(str(number), item) for number, item in enumerate(value)] if isinstance(value, list) else []


_DOUBLE_BITS: Final = 1024


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def pointed(key: str) -> str:
    """Return a key as a JSON pointer has it (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


_REPR: Final = Repr()
