"""What becomes of a work: it is done, is tried again after a rest, or is a dead letter."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from stamp.errors import UnknownSchemaError
from stamp.runtime import settlement
from stamp.runtime.answer import answered
from stamp.runtime.office import Office
from stamp.runtime.origin import origin
from stamp.runtime.reason import sayable, told
from stamp.runtime.settlement import BackedOff, DeadLettered
from stamp.store import inbox
from stamp.store.message import Message
from stamp.store.work import Work
from stamp.workflow.fail import withheld
from stamp.workflow.outgoing import Outgoing

__all__ = ["Verdict", "done", "failed", "worn_out"]

LOG: Final = logging.getLogger("stamp.performer")


class Verdict(NamedTuple):
    """What became of one work: `write` says it to the inbox, and tells whether the work was still ours; None: it is done."""

    work: Work
    answers: Sequence[Message] = ()
    write: Callable[[Connection, Work], bool] | None = None


def done(work: Work, outgoing: Sequence[Outgoing]) -> Verdict:
    """Return that a work is done, with these answers."""
    return Verdict(work, answered(work.message.workflow, outgoing))


def failed(office: Office, work: Work, error: BaseException) -> Verdict:
    """Return that a work is tried again later, or never, after `error`."""
    error, failures = sayable(error), work.failures + 1
    step, now = office.step_of(work), office.clock()
    waited, policy = _waited(office, work, error, now=now), office.policy
    settled = settlement.settled(
        office.workflow, step, work.message, error, failures=failures, waited=waited, policy=policy
    )
    if isinstance(settled, DeadLettered):
        return _parked(office, work, settled)
    until, said = now + settled.rest, told(error)
    if isinstance(settled, BackedOff):
        office.missing.note(work.consumer, settled.error)
        lacks = said if policy.expose_errors else f"UnknownSchemaError: {settled.error.schema_id.hex()}"
        return Verdict(
            work, write=lambda transaction, each: inbox.back_off(transaction, each, until=until, error=lacks)
        )
    where = origin(error, step.place["file"]) or "outside of the handler"
    LOG.warning("%s: attempt %d raised %s (%s)", work.consumer, work.attempt, said, where, extra=_described(work))
    kept = said if policy.expose_errors else f"{type(error).__name__}: {withheld(work.message.event_id)}"
    return Verdict(work, write=lambda transaction, each: inbox.postpone(transaction, each, until=until, error=kept))


def _waited(office: Office, work: Work, error: BaseException, *, now: int) -> int:
    """Return how long a work has waited: for a schema only since somebody here has looked for it, however long nobody worked."""
    arrived = now - work.arrived_at
    return min(arrived, office.missing.waited(error.schema_id)) if isinstance(error, UnknownSchemaError) else arrived


def worn_out(office: Office, work: Work) -> Verdict | None:
    """Return that a work is a dead letter because too many workers have died of it, if they have."""
    if work.deaths < office.policy.retry.deaths:
        return None
    got = f"{work.deaths} that died or lost it"
    return _parked(
        office,
        work,
        settlement.worn_out(office.workflow, office.step_of(work), work.message, got=got, policy=office.policy),
    )


def _parked(office: Office, work: Work, dead: DeadLettered) -> Verdict:
    """Put a work among the dead letters, and answer with the failure event of its step where an answer is possible."""
    why, kept, now = dead.said, dead.letter, office.clock()
    LOG.error(
        "%s: dead letter (%s): %s: %s",
        work.consumer,
        why.reason,
        why.error_type,
        why.error_message,
        exc_info=dead.untold,
        extra=_described(work),
    )
    answers = answered(work.message.workflow, dead.outgoing)
    return Verdict(work, answers, lambda transaction, each: inbox.park(transaction, each, kept, now=now))


def _described(work: Work) -> dict[str, object]:
    message = work.message
    return {
        "workflow_id": message.workflow_id,
        "event": message.event,
        "event_id": message.event_id.hex(),
        "attempt": work.attempt,
    }
