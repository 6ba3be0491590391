"""What pydantic says when a model refuses a value, in the words of all our errors: where, what was expected, what came."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

__all__ = ["Refused", "refused", "shown"]

LONGEST: Final = 60
"""Characters of a value that an error shows: what customers wrote does not belong into logs whole."""


class Refused(NamedTuple):
    """One value that a model refuses: the path to it, as in `items[2].price` (empty for the whole), and why."""

    path: str
    text: str


def refused(error: ValidationError) -> list[Refused]:
    """Return what a model refuses, at least one thing."""
    return [Refused(_path(each["loc"]), _text(each)) for each in error.errors(include_url=False)]


def shown(value: object) -> str:
    """Return a value as JSON, no longer than an error needs."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _path(loc: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")


_TEXTS: Final = {
    "missing": "expected a value, got none",
    "extra_forbidden": "expected a field that the model has, got another one",
    "unexpected_keyword_argument": "expected a field that the model has, got another one",
}


def _text(problem: Any) -> str:
    if problem["type"] in _TEXTS:
        return _TEXTS[problem["type"]]
    text = re.sub(r" at line 1 column \d+$", "", problem["msg"])  # a column of what is left of the line
    text, count = re.subn(r"^Input should be ", "expected ", text)
    return f"{text if count else text[:1].lower() + text[1:]}, got {shown(problem['input'])}"
