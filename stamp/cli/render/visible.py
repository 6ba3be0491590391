"""Text from outside, made safe for a terminal.

What a customer wrote may hold escape sequences that move the cursor, rename the window or hide what follows, and marks that
turn the reading direction of a whole line. None of that may reach a terminal raw: it is shown as what it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from unicodedata import category

__all__ = ["json_text", "visible"]

HIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, format characters, halves of surrogate pairs, separators of lines and of paragraphs (UAX 44, table 12)."""

JOINERS: Final = "\u200c\u200d"
"""Format characters that many scripts, and emoji, cannot be written without; they act on their neighbours alone."""


class _Table(dict[int, str]):
    """For `str.translate`: how to write each character, found out when it is first seen."""

    def __init__(self, escaped: Callable[[str], str]) -> None:
        super().__init__()
        self._escaped = escaped

    def __missing__(self, code: int) -> str:
        character = chr(code)
        is_hidden = category(character) in HIDDEN and character not in JOINERS
        self[code] = self._escaped(character) if is_hidden else character
        return self[code]


_VISIBLE: Final = _Table(lambda character: character.encode("unicode_escape").decode())
_JSON: Final = _Table(lambda character: json.dumps(character)[1:-1])


def visible(text: str) -> str:
    r"""Return `text` with what a terminal would act on written as in a Python string: `\n`, `\x1b`, `\u202e`."""
    return text.translate(_VISIBLE)


def json_text(value: Any) -> str:
    r"""Return `value` as one line of JSON, readable and yet safe: escapes `\u001b` and the like, and nothing else."""
    return json.dumps(value, ensure_ascii=False).translate(_JSON)
