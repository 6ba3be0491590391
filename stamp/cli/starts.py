"""From lines of JSON to the first events of runs.

A line is what the starting step writes, and beside it `workflow_id`. What is on a line is taken over or refused: a key that the model
does not know makes it a bad line, also where the model itself would ignore it, since a misspelt optional field would be lost. Values are
as `stamp decode --format json` prints them.
"""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError

from stamp.cli.json_bytes import JsonValidator, validator
from stamp.cli.json_object import with_exact_numbers, without
from stamp.cli.lines import Line
from stamp.errors import InputError, SchemaError
from stamp.schema.document import irregularities, parse
from stamp.schema.refused import refused, shown
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.step import Step
from stamp.workflow.workflow import Workflow

__all__ = ["ID", "LINE_OF_A_BYTE", "Starts", "starting_step"]

LINE_OF_A_BYTE: Final = 48
"""How many bytes of JSON one byte of Avro may come from, generously: keys, quotes, escapes, blanks."""

ID: Final = "workflow_id"
"""The key of a line beside what the starting step writes."""

SHOWN: Final = 5
"""How many of the problems of one line are told."""


def starting_step(workflow: Workflow, name: str | None = None) -> Step:
    """Return the step that starts a workflow; with several of them the one called `name`.

    Raises:
        InputError: there is none, or not just one.
    """
    starting = {step.name: step for step in workflow.steps.values() if step.handler is None}
    known = ", ".join(starting) or "none"
    if name is not None and name not in starting:
        raise InputError(f"expected a step that starts {workflow.name} ({known}), got {name!r}", path="--start")
    if name is None and len(starting) != 1:
        raise InputError(f"expected one step that starts {workflow.name}, got {known}: choose with --start")
    return starting[name or next(iter(starting))]


class Starts:
    """Turns the lines of one input into first events. An id that one line has taken no other line can have."""

    def __init__(self, workflow: Workflow, step: Step) -> None:
        self._workflow, self._step = workflow, step
        [self._model] = step.emissions
        self._validator = validator(self._model)
        self._has_id = any(
            ID in (name, field.alias, field.validation_alias) for name, field in self._model.model_fields.items()
        )
        self._taken: dict[str, int] = {}

    def start(self, line: Line) -> Outgoing:
        """Return the first event of the run that a line asks for.

        Raises:
            InputError: the line asks for none. Other errors of stamp: its values cannot be written.
        """
        if line.is_too_long:
            raise InputError(f"expected a line of at most {len(line.data)} bytes, got more")
        text, members = _read(line.data.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.data)
        workflow_id = self._id(members)
        first = _validated(self._validator, text if self._has_id else without(text, ID))
        outgoing = self._workflow.start(first, workflow_id=workflow_id, step=self._step.name)
        self._taken[workflow_id] = line.number
        return outgoing

    def line_of(self, workflow_id: str) -> int:
        """Return the number of the line that has taken an id."""
        return self._taken[workflow_id]

    def _id(self, members: dict[str, Any]) -> str:
        found = members.get(ID)
        if not isinstance(found, str) or not found:
            got = shown(found) if ID in members else "none"
            raise InputError(f"expected the id of the run, a string that is not empty, got {got}", path=ID)
        if found in self._taken:
            raise InputError(f"expected an id of its own, got {shown(found)} as on line {self._taken[found]}", path=ID)
        return found


def _read(data: bytes) -> tuple[str, dict[str, Any]]:
    try:
        text = data.decode()
        members = parse(text)
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8: {error.reason}", offset=error.start) from error
    except SchemaError as error:
        raise InputError(error.message) from error
    if not isinstance(members, dict):
        raise InputError(f"expected a JSON object, got {shown(members)}")
    for problem in irregularities(members):
        raise InputError(problem.message, path=(problem.path or "")[1:].replace("/", ".") or None)
    return text, members


def _validated(model: JsonValidator, text: str) -> BaseModel:
    exact = with_exact_numbers(text)
    if exact != text:
        try:
            return cast("BaseModel", model.validate_json(exact, extra="forbid"))
        except ValidationError:
            pass  # as it was given, then: a strict model wants a number, and says better what it does not like
    try:
        return cast("BaseModel", model.validate_json(text, extra="forbid"))
    except ValidationError as error:
        (path, said), *others = refused(error)
        more = [": ".join(filter(None, other)) for other in others[: SHOWN - 1]]
        if len(others) >= SHOWN:
            more.append(f"and {len(others) + 1 - SHOWN} more")
        raise InputError("; ".join((said, *more)), path=path or None) from error
