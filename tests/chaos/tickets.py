"""The ticket example as the ledger sees it: its handlers with an effect and some trouble each, and two steps more.

`audit` listens to TicketResolved beside billing: a fan-out. `regret` listens to the failure event of every step.
"""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any, Final, get_type_hints

from pydantic import BaseModel
from root import ROOT
from sqlalchemy import text
from troubles import Troubles

from examples.ticket import ticket
from stamp import StepContext, Workflow

__all__ = ["AUDITED", "LEDGER", "REGRETTED", "STEPS", "Books", "audit", "chaotic", "regret"]

LEDGER: Final = "CREATE TABLE chaos_ledger (run TEXT, step TEXT, event TEXT, event_id TEXT, result TEXT)"
"""Effects. There is no constraint: whatever is done twice is there twice."""

ENTER: Final = text("INSERT INTO chaos_ledger VALUES (:run, :step, :event, :event_id, :result)")

AUDITED: Final = "TicketAudited"
REGRETTED: Final = "FailureRegretted"
CIRCUMSTANCES: Final = "circumstances_of_the_call"
SLOW: Final = 0.03
"""How many works take a while, of one, and up to how many seconds."""


class Part(BaseModel):
    """A spare part that was used."""

    quantity: int


class Resolved(BaseModel):
    """What an audit looks at in a resolution."""

    minutes: int
    parts: list[Part]


class Audited(BaseModel):
    """What a resolution took."""

    minutes: int
    pieces: int


class Regretted(BaseModel):
    """The failure that somebody was sorry for."""

    failure: str


def audit(resolution: Resolved) -> Audited:
    """Add up."""
    return Audited(minutes=resolution.minutes, pieces=sum(part.quantity for part in resolution.parts))


def regret(context: StepContext) -> Regretted:
    """Be sorry."""
    return Regretted(failure=context.event)


OWN: Final = tuple(step.name for step in ticket.steps.values() if step.handler is not None)
STEPS: Final = (*OWN, "audit", "regret")


@dataclass(frozen=True, slots=True)
class Books:
    """Where handlers write: each effect through the transaction of its work, and every call at once into the file `calls`."""

    troubles: Troubles
    calls: Path

    def note_call(self, context: StepContext) -> None:
        """Append a line; in one write, so that it is whole whoever dies when."""
        said = (context.workflow_id, context.step, context.event, str(context.attempt), context.event_id.hex())
        append(self.calls, " ".join(said))

    def enter(self, context: StepContext, result: BaseModel) -> None:
        """Write the effect."""
        row = {"run": context.workflow_id, "step": context.step, "event": context.event}
        row |= {"event_id": context.event_id.hex(), "result": result.model_dump_json()}
        context.transaction.execute(ENTER, row)


def append(file: Path, line: str) -> None:
    """Append a line to a file that others append to as well."""
    number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(number, f"{line}\n".encode())
    finally:
        os.close(number)


def chaotic(books: Books) -> Workflow:
    """Return the workflow: the models, views and events of the example, all steps of it defined here."""
    workflow = Workflow("ticket", contracts=ROOT / "no" / "contracts")
    for step in ticket.steps.values():
        emits = {model: [event for event, _ in emission.events] for model, emission in step.emissions.items()}
        if step.handler is None:
            [(model, [event])] = emits.items()
            workflow.starts(step.name, model, emits=event)
        else:
            define = workflow.step(on=step.on, emits=emits, name=step.name, ends=step.ends)
            define(_entered(step.handler, books))
    workflow.step(on="TicketResolved", emits=AUDITED, ends=AUDITED)(_entered(audit, books))
    failures: Sequence[str] = [f"{step}.failed" for step in (*OWN, "audit")]
    workflow.step(on=failures, emits=REGRETTED, ends=REGRETTED)(_entered(regret, books, lasting=False))
    return workflow


def _entered(handler: Callable[..., Any], books: Books, *, lasting: bool = True) -> Callable[..., Any]:
    """Return `handler` with its effect and its trouble: with one parameter more, where it has no StepContext of its own."""
    hints = get_type_hints(handler, include_extras=True)
    own = next((name for name, hint in hints.items() if hint is StepContext), None)
    name = own or CIRCUMSTANCES

    @wraps(handler)
    def call(**arguments: Any) -> Any:
        context = arguments[name] if own else arguments.pop(name)
        trouble = books.troubles.of(context.workflow_id, context.step, lasting=lasting)
        books.note_call(context)
        _take_a_while(context)
        result = handler(**arguments)
        if not trouble.is_late:
            trouble.strike(context.attempt)
        books.enter(context, result)
        trouble.strike(context.attempt)
        return result

    if own is None:
        added = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=StepContext)
        given = inspect.signature(handler)
        call.__signature__ = given.replace(parameters=[*given.parameters.values(), added])
        call.__annotations__ = {**hints, name: StepContext}
    return call


def _take_a_while(context: StepContext) -> None:
    dice = Random(context.event_id + bytes([context.attempt % 256]))
    if dice.random() < SLOW:
        time.sleep(dice.random() * SLOW)
