"""`step.json`: what a step says of itself in its contract, and whether it can mean it.

`step.schema.json` beside this file says the same for other tools, as far as JSON Schema can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from stamp.errors import ContractError
from stamp.schema.document import shown
from stamp.schema.jsonfile import JsonFile
from stamp.schema.limits import MAX_VERSION
from stamp.schema.names import is_name
from stamp.schema.release import VERSION
from stamp.workflow.names import is_event_name, is_step_name, is_workflow_name

__all__ = ["FILE", "OWNED", "check_declaration", "declaration", "failure_event", "reads_file"]

FILE: Final = "step.json"


class _Key(NamedTuple):
    is_legal: Callable[[Any], bool]
    expected: str
    required: bool = False


def _list_of(is_legal: Callable[[object], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_legal, value)) and len(set(value)) == len(value)


def _map_of(is_key: Callable[[object], bool], is_value: Callable[[object], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(is_key, value)) and all(map(is_value, value.values()))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_version(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(rf"[A-Za-z_][A-Za-z0-9_]*\.v{VERSION}", text) is not None


def _is_day(text: object) -> bool:
    if not isinstance(text, str) or re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_VERSION


OWNED: Final[Mapping[str, _Key]] = {
    "workflow": _Key(is_workflow_name, "the name of the workflow", required=True),
    "step": _Key(is_step_name, "the name of the step", required=True),
    "on": _Key(_list_of(is_event_name), "a list of the events that it listens to", required=True),
    "emits": _Key(
        _map_of(is_event_name, is_name), "the record that is written with each event: {event: record}", required=True
    ),
    "fails": _Key(is_event_name, "the event that is published when it fails"),
    "ends": _Key(_list_of(is_event_name), "a list of those of its events after which nothing is expected"),
    "reads": _Key(_map_of(is_step_name, _is_text), "the view of each step that it reads: {step: file}"),
    "optional": _Key(_list_of(is_step_name), "a list of those of the steps that may be absent"),
    "constraints": _Key(
        _map_of(is_name, _is_number), 'the first version of each record that says what its model enforces: {"Name": 1}'
    ),
}
"""What the code of a step determines, in the order in which it is written."""

_KEPT: Final[Mapping[str, _Key]] = {
    "retired": _Key(
        _map_of(_is_version, _is_day), 'the day after which no data of a version are left: {"Name.v1": "2026-12-31"}'
    ),
    "$schema": _Key(_is_text, "the address of the JSON Schema of this file"),
}
"""What people add."""


def reads_file(step: str) -> str:
    """Return the file, within the folder of a contract, of the view of `step`."""
    return f"reads/{step}.avsc"


def declaration(said: JsonFile) -> dict[str, Any]:
    """Return the content of a step's `step.json`.

    Raises:
        ContractError: it is not there, or contradicts itself or the folder it is in.
        SchemaError: it is not JSON.
    """
    value, file, folder = said.value, said.path, said.path.parent
    check_declaration(value, file)
    for key, name in (("workflow", folder.parent.name), ("step", folder.name)):
        if value[key] != name:
            raise ContractError(
                f"expected the {key} {name!r}, as the folder is called, got {value[key]!r}", path=key, file=file
            )
    return dict(value)


def check_declaration(value: Any, file: Path) -> None:
    """Accept the content of a `step.json`, or raise what is wrong with it by itself.

    Raises:
        ContractError: with `file`, and the key as the path.
    """
    if not isinstance(value, dict):
        raise ContractError(f"expected a JSON object, got {shown(value)}", file=file)
    keys = {**OWNED, **_KEPT}
    for name in value:
        if name not in keys:
            raise ContractError(f"expected one of {', '.join(keys)}, got the key {shown(name)}", file=file)
    for name, key in keys.items():
        if name not in value and key.required:
            raise ContractError(f'expected the key "{name}", {key.expected}, got none', file=file)
        if name in value and not key.is_legal(value[name]):
            raise ContractError(f"expected {key.expected}, got {shown(value[name])}", path=name, file=file)
    for path, text in _contradictions(value):
        raise ContractError(text, path=path, file=file)


def _contradictions(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    emits, fails, reads = value["emits"], failure_event(value), value.get("reads", {})
    if fails in emits:
        yield "fails", f"expected a failure event that is not emitted on success, got {fails!r}"
    for event in value.get("ends", ()):
        if event not in emits and event != fails:
            yield "ends", f"expected an event that this step publishes, got {event!r}"
    for step in value.get("optional", ()):
        if step not in reads:
            yield "optional", f"expected a step that this step reads, got {step!r}"
    for step, file in reads.items():
        if file != reads_file(step):
            yield "reads", f"expected the view of {step!r} in {reads_file(step)!r}, got {file!r}"


def failure_event(value: Mapping[str, Any]) -> str:
    """Return the event that the step of a declaration publishes when it fails."""
    return str(value.get("fails", f"{value['step']}.failed"))
