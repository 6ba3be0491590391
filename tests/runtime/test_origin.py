"""Where an error arose, as the author of a handler knows it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from stamp import Workflow
from stamp.errors import WireError
from stamp.runtime.origin import origin


class Number(BaseModel):
    value: int


def raises(number: Number) -> Number:
    raise ValueError(number)


def helped(number: Number) -> Number:
    return raises(number)


def asks_a_library(number: Number) -> Number:
    return Number(value=json.loads("{"))


def asks_pydantic(number: Number) -> Number:
    return Number.model_validate({"value": "x"})


async def awaited(number: Number) -> Number:
    return raises(number)


def line_of(function: Callable[..., object], text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return next(number for number, line in enumerate(lines, first) if text in line)


@pytest.mark.parametrize(
    ("handler", "at", "text"),
    [
        (raises, raises, "raise ValueError"),
        (helped, raises, "raise ValueError"),
        (asks_a_library, asks_a_library, "json.loads"),
        (asks_pydantic, asks_pydantic, "model_validate"),
        (awaited, raises, "raise ValueError"),
    ],
)
def test_the_innermost_place_that_its_author_knows_is_told(
    handler: Callable[..., object], at: Callable[..., object], text: str
) -> None:
    workflow = Workflow("numbers", contracts="/nonexistent")
    workflow.starts("number", Number, emits="Given")
    workflow.step(on="Given", emits="Done", name="work")(handler)
    first = workflow.start(Number(value=1), workflow_id="1")

    with pytest.raises(ValueError, match=r".") as caught:
        workflow.process("work", first.body)

    assert origin(caught.value, workflow.steps["work"].place["file"]) == f"{__file__}:{line_of(at, text)}"


def test_an_error_of_our_own_has_no_place() -> None:
    workflow = Workflow("numbers", contracts="/nonexistent")
    workflow.starts("number", Number, emits="Given")
    workflow.step(on="Given", emits="Done", name="work")(raises)

    with pytest.raises(WireError) as caught:
        workflow.process("work", b"no envelope")
    error = caught.value.with_traceback(caught.value.__traceback__ and caught.value.__traceback__.tb_next)

    assert origin(error, __file__) is None


def test_nor_has_one_that_was_never_raised() -> None:
    assert origin(ValueError(), __file__) is None
