"""A workflow whose handlers leave an effect each: imported by the services of a trial, so it knows nothing else of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, get_type_hints

from sqlalchemy import text

from stamp import StepContext, Workflow

__all__ = ["EFFECTS", "Recorded"]

EFFECTS: Final = "CREATE TABLE rollout_effect (run TEXT, step TEXT)"
"""There is no constraint: whatever is done twice is there twice."""

ENTER: Final = text("INSERT INTO rollout_effect VALUES (:run, :step)")
CIRCUMSTANCES: Final = "circumstances_of_the_call"


class Recorded(Workflow):
    """Writes a row through the transaction of each work, when its handler has returned."""

    def step(self, **declaration: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        define = super().step(**declaration)
        return lambda handler: define(_recorded(handler))


def _recorded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return `handler` with its effect: with one parameter more, where it has no StepContext of its own."""
    hints = get_type_hints(handler, include_extras=True)
    own = next((name for name, hint in hints.items() if hint is StepContext), None)

    @wraps(handler)
    def call(**arguments: Any) -> Any:
        context = arguments[own] if own else arguments.pop(CIRCUMSTANCES)
        result = handler(**arguments)
        context.transaction.execute(ENTER, {"run": context.workflow_id, "step": context.step})
        return result

    if own is None:
        added = inspect.Parameter(CIRCUMSTANCES, inspect.Parameter.KEYWORD_ONLY, annotation=StepContext)
        given = inspect.signature(handler)
        call.__signature__ = given.replace(parameters=[*given.parameters.values(), added])
        call.__annotations__ = {**hints, CIRCUMSTANCES: StepContext}
    return call
