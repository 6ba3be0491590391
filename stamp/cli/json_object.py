"""The text of one JSON object, changed without reading and writing its values again: so no digit of a number changes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final

__all__ = ["with_exact_numbers", "without"]

_SPACE: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder()
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')


def without(text: str, key: str) -> str:
    """Return the text of an object, which is well-formed, without its member `key`."""
    kept = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        begin = at
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, at = _DECODER.raw_decode(text, at)
        if name != key:
            kept.append(text[begin:at])
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return "{" + ",".join(kept) + "}"


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def with_exact_numbers(text: str) -> str:
    """Return JSON with each number that a double cannot hold to the last digit as a string: a decimal takes that too.

    pydantic 2 reads a number with a fraction as a double before it makes a decimal of it.
    """
    return _TOKEN.sub(_exact, text)


def _exact(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith('"') or token.lstrip("-").isdigit():
        return token
    return token if Decimal(token) == Decimal(repr(float(token))) else f'"{token}"'
