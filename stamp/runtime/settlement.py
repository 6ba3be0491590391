"""How work that failed is settled, wherever it waits: it is tried again after a rest, or its message is a dead letter.

Workers with a store, workers without one and simulations decide by this alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import random
from typing import NamedTuple, TypeAlias

from stamp.errors import StampError
from stamp.runtime.misfit import misfit
from stamp.runtime.reason import ATTEMPTS, DEATHS, is_hopeless, letter
from stamp.runtime.retry import Retry
from stamp.store.letter import Letter
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.step import Step
from stamp.workflow.workflow import Workflow

__all__ = ["DeadLettered", "Postponed", "Settlement", "settled", "worn_out"]


class Postponed(NamedTuple):
    """Work is tried again after `rest` microseconds."""

    rest: int


class DeadLettered(NamedTuple):
    """A message is a dead letter; `outgoing` is the failure event of its step, where an answer is possible."""

    letter: Letter
    outgoing: Sequence[Outgoing]


Settlement: TypeAlias = Postponed | DeadLettered


def settled(
    workflow: Workflow,
    step: Step,
    body: bytes,
    error: BaseException,
    *,
    failures: int,
    retry: Retry,
    chance: Callable[[], float] = random,
) -> Settlement:
    """Return what becomes of the work on the event `body`, whose latest attempt raised `error`; `failures` counts that one, too.

    The text of `error` must be one that can be made, see `reason.sayable`.
    """
    if is_hopeless(error):
        return _dead_lettered(workflow, step, body, error)
    if failures >= retry.attempts:
        return _dead_lettered(workflow, step, body, error, reason=ATTEMPTS)
    return Postponed(retry.rest(failures, chance))


def worn_out(workflow: Workflow, step: Step, body: bytes, *, got: str) -> DeadLettered:
    """Return that the event `body` is a dead letter because too many workers have died of it; `got` says how many."""
    error = StampError(f"expected a worker to live through this work, got {got}", path=step.name)
    return _dead_lettered(workflow, step, body, error, reason=DEATHS)


def _dead_lettered(
    workflow: Workflow, step: Step, body: bytes, error: BaseException, *, reason: str | None = None
) -> DeadLettered:
    """Return that the event `body` is a dead letter of `step`; `reason` is that of the error, by default."""
    said = letter(error, reason, misfit(workflow, step, body, error))
    try:
        outgoing = workflow.give_up(step.name, body, error, received_at=workflow.clock())
    except StampError:  # it is no event of this step, or has no room: the dead letter says so
        outgoing = []
    return DeadLettered(said, outgoing)
