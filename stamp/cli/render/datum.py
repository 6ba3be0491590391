"""The JSON of a datum, made short without cutting through the name of a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from stamp.cli.render.visible import json_text

__all__ = ["brief"]


def brief(value: Any, path: str, longest: int) -> str:
    """Return a JSON value in about `longest` characters.

    Of what is too long that is kept which `path` (`items[].price`) leads to, else what comes first; `…` stands for the rest.
    """
    return _brief(value, re.findall(r"\[\]|\{\}|[^.\[\]{}]+", path), longest)


def _brief(value: Any, path: Sequence[str], room: int) -> str:
    text = json_text(value)
    if len(text) <= room:
        return text
    match value:
        case dict():
            return f"{{{', '.join(_entries(value, path, room))}}}"
        case list() if value:
            rest = ", …" if len(value) > 1 else ""
            return f"[{_brief(value[0], path[1:] if path[:1] == ['[]'] else path, room - 2)}{rest}]"
        case str():
            return f'{json_text(value[: max(room - 3, 1)])[:-1]}…"'
        case _:
            return text


def _entries(value: dict[str, Any], path: Sequence[str], room: int) -> Iterator[str]:
    """Yield the entry that matters; else the first one, and more as long as there is room."""
    if path and path[0] in value:
        kept, inner = {path[0]: value[path[0]]}, path[1:]
    else:
        kept, inner = _first(value, room), path[1:] if path[:1] == ["{}"] else path
    for name, each in kept.items():
        key = json_text(name)
        yield f"{key}: {_brief(each, inner, room - len(key) - 4)}"
    if len(kept) < len(value):
        yield "…"


def _first(value: dict[str, Any], room: int) -> dict[str, Any]:
    number, used = 0, 0
    for name, each in value.items():
        used += len(json_text({name: each}))
        if used > room:
            break
        number += 1
    return dict(islice(value.items(), max(number, 1)))
