"""How work that failed is settled, wherever it waits: it is tried again after a rest, or its message is a dead letter.

Workers with a store, workers without one and simulations decide by this alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import random
from typing import Final, NamedTuple, TypeAlias

from stamp.errors import StampError, UnknownSchemaError
from stamp.runtime.misfit import misfit
from stamp.runtime.policy import Policy
from stamp.runtime.reason import ATTEMPTS, DEATHS, is_hopeless, letter, withheld
from stamp.store.letter import Letter
from stamp.store.message import Message
from stamp.workflow.outgoing import Outgoing
from stamp.workflow.step import Step
from stamp.workflow.workflow import Workflow

__all__ = ["BackedOff", "DeadLettered", "Postponed", "Settlement", "settled", "worn_out"]


class Postponed(NamedTuple):
    """Work is tried again after `rest` microseconds."""

    rest: int


class BackedOff(NamedTuple):
    """Work is tried again after `rest` microseconds, and this attempt does not count: a writer schema is not known here yet."""

    rest: int
    error: UnknownSchemaError


class DeadLettered(NamedTuple):
    """A message is a dead letter; `outgoing` is the failure event of its step, where an answer is possible.

    `letter` is what is kept of the reason, `said` all of it, for the log. `untold` is the error whose traceback is not kept either.
    """

    letter: Letter
    outgoing: Sequence[Outgoing]
    said: Letter
    untold: BaseException | None


Settlement: TypeAlias = Postponed | BackedOff | DeadLettered

SHORTEST: Final = 500_000
LONGEST: Final = 60_000_000
"""How long work rests that waits for a schema, in microseconds. Whoever learns the schema wakes it earlier."""


def settled(
    workflow: Workflow,
    step: Step,
    message: Message,
    error: BaseException,
    *,
    failures: int,
    waited: int,
    policy: Policy,
    chance: Callable[[], float] = random,
) -> Settlement:
    """Return what becomes of the work on the event `message`, whose latest attempt raised `error`; `failures` counts that one, too.

    `waited` is how long ago the event arrived, in microseconds. The text of `error` must be one that can be made, see `reason.sayable`.
    """
    if isinstance(error, UnknownSchemaError) and error.schema_id and waited < policy.schema_patience * 1e6:
        return BackedOff(_backed_off(waited, chance), error)
    if is_hopeless(error):
        return _dead_lettered(workflow, step, message, error, policy=policy)
    if failures >= policy.retry.attempts:
        return _dead_lettered(workflow, step, message, error, policy=policy, reason=ATTEMPTS)
    return Postponed(policy.retry.rest(failures, chance))


def _backed_off(waited: int, chance: Callable[[], float]) -> int:
    """Return a rest that grows with the time that has been waited, somewhat shorter by chance."""
    due = min(max(waited, SHORTEST), LONGEST)
    return round(due * (0.5 + chance() / 2))


def worn_out(workflow: Workflow, step: Step, message: Message, *, got: str, policy: Policy) -> DeadLettered:
    """Return that the event `message` is a dead letter because too many workers have died of it; `got` says how many."""
    error = StampError(f"expected a worker to live through this work, got {got}", path=step.name)
    return _dead_lettered(workflow, step, message, error, policy=policy, reason=DEATHS)


def _dead_lettered(
    workflow: Workflow,
    step: Step,
    message: Message,
    error: BaseException,
    *,
    policy: Policy,
    reason: str | None = None,
) -> DeadLettered:
    """Return that the event `message` is a dead letter of `step`; `reason` is that of the error, by default."""
    said, is_told = letter(error, reason, misfit(workflow, step, message.body, error)), policy.expose_errors
    try:
        outgoing = workflow.give_up(step.name, message.body, error, received_at=workflow.clock(), expose_errors=is_told)
    except StampError:  # it is no event of this step, or has no room: the dead letter says so
        outgoing = []
    if is_told:
        return DeadLettered(said, outgoing, said, None)
    return DeadLettered(withheld(said, message.event_id), outgoing, said, error if said.traceback else None)
