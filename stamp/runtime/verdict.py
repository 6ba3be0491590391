"""What becomes of a work: it is done, is tried again after a rest, or is a dead letter."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from stamp.errors import StampError
from stamp.runtime.answer import answered
from stamp.runtime.misfit import misfit
from stamp.runtime.office import Office
from stamp.runtime.reason import ATTEMPTS, DEATHS, is_hopeless, letter, sayable, told
from stamp.store import inbox
from stamp.store.message import Message
from stamp.store.work import Work
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
    error = sayable(error)
    if is_hopeless(error):
        return _parked(office, work, error)
    if work.failures + 1 >= office.retry.attempts:
        return _parked(office, work, error, ATTEMPTS)
    until = office.clock() + office.retry.rest(work.failures + 1)
    said = told(error)
    LOG.warning("%s: attempt %d raised %s", work.consumer, work.attempt, said, extra=_described(work))
    return Verdict(work, write=lambda transaction, each: inbox.postpone(transaction, each, until=until, error=said))


def worn_out(office: Office, work: Work) -> Verdict | None:
    """Return that a work is a dead letter because too many workers have died of it, if they have."""
    died = work.attempt - work.failures - 1
    if died < office.retry.deaths:
        return None
    text = f"expected a worker to live through this work, got {died} that died or lost it"
    return _parked(office, work, StampError(text, path=office.consumers[work.consumer]), DEATHS)


def _parked(office: Office, work: Work, error: BaseException, reason: str | None = None) -> Verdict:
    """Put a work among the dead letters, and answer with the failure event of its step where an answer is possible."""
    now = office.clock()
    said = letter(error, reason, misfit(office.workflow, office.step_of(work), work.message.body, error))
    LOG.error("%s: dead letter (%s): %s", work.consumer, said.reason, told(error), extra=_described(work))
    step = office.consumers[work.consumer]
    try:
        outgoing = office.workflow.give_up(step, work.message.body, error, received_at=now)
    except StampError:  # it is no event of this step, or has no room: the dead letter says so
        outgoing = []
    answers = answered(work.message.workflow, outgoing)
    return Verdict(work, answers, lambda transaction, each: inbox.park(transaction, each, said, now=now))


def _described(work: Work) -> dict[str, object]:
    message = work.message
    return {
        "workflow_id": message.workflow_id,
        "event": message.event,
        "event_id": message.event_id.hex(),
        "attempt": work.attempt,
    }
