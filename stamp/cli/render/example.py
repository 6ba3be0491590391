"""Examples of rules, as people read them: two schemas, or a small workflow and what has changed in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from typing import Any, Final

from stamp import compat
from stamp.cli.rulebook import Rule

__all__ = ["example_lines"]

WIDTH: Final = 100
"""Characters of a schema on one line; a longer one is told on several."""


def example_lines(rule: Rule) -> list[str]:
    """Return the example of a rule; of a change all lines, those that go with a minus, those that come with a plus."""
    if isinstance(rule, compat.Rule):
        return [*_schema("written", rule.example.writer), *_schema("read as", rule.example.reader)]
    now = list(_workflow(rule.example.now))
    if rule.example.before is None:
        return now
    return list(unified_diff(list(_workflow(rule.example.before)), now, n=len(now) + 1000, lineterm=""))[3:]


def _schema(name: str, schema: Any) -> list[str]:
    text = json.dumps(schema)
    lines = json.dumps(schema, indent=2).splitlines() if len(text) > WIDTH else [text]
    label = f"{name}: "
    return [f"{label if number == 0 else ' ' * len(label)}{line}" for number, line in enumerate(lines)]


def _workflow(steps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for step, said in steps.items():
        yield step
        for key, value in said.items():
            yield from (f"  {key} {text}" for text in _TEXTS.get(key, _plain)(value))


def _plain(value: Any) -> Iterator[str]:
    yield ", ".join(value) if isinstance(value, list) else json.dumps(value)


def _emits(value: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{event} ({record})" for event, record in value.items())


def _records(value: Mapping[str, Any]) -> Iterator[str]:
    for name, fields in value.items():
        listed = (
            [{"name": each, "type": type_} for each, type_ in fields.items()] if isinstance(fields, dict) else fields
        )
        yield f"{name} {{{', '.join(map(_field, listed))}}}"


def _field(field: Mapping[str, Any]) -> str:
    more = {key: value for key, value in field.items() if key not in {"name", "type"}}
    type_ = field["type"] if isinstance(field["type"], str) else json.dumps(field["type"])
    return f"{field['name']}: {type_}{f' {json.dumps(more)}' if more else ''}"


_TEXTS: Final[Mapping[str, Callable[[Any], Iterator[str]]]] = {"emits": _emits, "reads": _records, "writes": _records}
