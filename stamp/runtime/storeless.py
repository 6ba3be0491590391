"""Work without a store: taken from the broker, answered to the broker, acknowledged when the answer is confirmed.

At least once: after a crash a handler is called again for what was not acknowledged. Repeats are known as long as this process lives.
Attempts are counted, and works rest, in memory; within a run a work that rests lets later ones pass.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import Final, NamedTuple

from stamp.envelope.content import content
from stamp.errors import DeliveryError, StampError, UnknownSchemaError
from stamp.runtime.answer import answered
from stamp.runtime.arrival import opened, own_id
from stamp.runtime.beginning import begin, used
from stamp.runtime.conflict import conflict
from stamp.runtime.handlers import Handlers
from stamp.runtime.intake import Intake, Received
from stamp.runtime.listeners import Listeners
from stamp.runtime.missing_schemas import MissingSchemas
from stamp.runtime.origin import origin
from stamp.runtime.outlet import parcels
from stamp.runtime.pace import LARGEST_GROUP, Pace
from stamp.runtime.points import Passing
from stamp.runtime.policy import Policy
from stamp.runtime.reason import letter, sayable, told, withheld, written
from stamp.runtime.recollection import Key, Recollection
from stamp.runtime.settlement import BackedOff, DeadLettered, settled, worn_out
from stamp.runtime.transport import Parcel, Sender
from stamp.store.message import Message
from stamp.workflow.step import Step
from stamp.workflow.workflow import Workflow

__all__ = ["StorelessPerformer"]

LOG: Final = logging.getLogger("stamp.performer")


DELIVERIES: Final = 100
"""How often a broker may give a message out without an answer, as a quorum queue of RabbitMQ does: each time its worker may have died of it,
or of another one that had been given out with it."""


LONGEST_BACK_OFF: Final = 5.0
"""How long, at most, work that waits for a schema rests, in seconds: nobody wakes it here, and there is never more of it than was prefetched."""


class _Done(NamedTuple):
    """What became of one work; `buried` is why its message is put among the dead letters."""

    key: Key
    received: Received
    message: Message
    parcels: Sequence[Parcel]
    buried: str | None = None


@dataclass(slots=True, kw_only=True)
class StorelessPerformer:
    """Does works, one after the other. `turn` belongs to one thread."""

    workflow: Workflow
    consumers: Mapping[str, str]
    listeners: Listeners
    intake: Intake
    connect: Callable[[], Sender]
    handlers: Handlers
    policy: Policy
    missing: MissingSchemas
    at: Passing
    recollection: Recollection = field(default_factory=Recollection)
    timeout: float = 10.0
    _sender: Sender | None = None
    _unsent: list[_Done] = field(default_factory=list)
    _resting: list[tuple[float, int, Received]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)
    _pace: Pace = field(default_factory=Pace)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to publish on, as far as we know."""
        return self._sender is not None

    def turn(self, *, take: bool = True) -> bool:
        """Do what has come in, send the answers and have the messages acknowledged; False if there was nothing.

        Raises:
            DeliveryError: the answers could not be sent; they are sent in the next turn.
        """
        if self._sender is None:
            self._sender = self.connect()
        busy = bool(self._unsent)
        if not busy and take:
            busy = self._perform()
        self._send(self._sender)
        return busy

    def _perform(self) -> bool:
        """Do works until their answers should be sent; False if there were none. What is done does not wait for what may take long."""
        self._pace.begin()
        for number in range(LARGEST_GROUP):
            received = self._next()
            if received is None:
                return number > 0
            if number and not self._pace.has_time(received.arrival.queue):
                self._rest(received, 0)
                return True
            began = monotonic()
            self._unsent += self._one(received)
            self._pace.took(received.arrival.queue, monotonic() - began)
        return True

    def _next(self) -> Received | None:
        while self._resting and self._resting[0][0] <= monotonic():
            rested = heappop(self._resting)[2]
            if self.intake.is_current(rested):  # after a reconnect the broker gives it out again
                return rested
        return next(iter(self.intake.collect(1)), None)

    def _one(self, received: Received) -> Sequence[_Done]:
        """Do one work; nothing came of it if it is to be done again, or was done before."""
        arrival = received.arrival
        message, refused = opened(arrival, self.workflow.name, self.workflow.limits)
        key = (arrival.queue, message.event_id)
        if refused is not None:
            return [self._refused(key, received, message, refused)]
        _, other = begin([message], self.workflow.limits, self.recollection.begun)
        if other:
            error = used([message.workflow_id], path=message.workflow)
            return [self._refused((arrival.queue, own_id(arrival.queue, arrival.body)), received, message, error)]
        if self.recollection.is_done(key):
            return self._repeated(key, received, message)
        step, failures = self.consumers[arrival.queue], self.recollection.failures(key)
        if arrival.deliveries - failures > DELIVERIES:
            got = f"it {arrival.deliveries} times from the broker"
            dead = worn_out(self.workflow, self._step(received), message, got=got, policy=self.policy)
            return self._buried(received, message, dead)
        attempt = max(failures + 1, arrival.deliveries)
        self.at("before handle")
        try:
            outgoing = self.handlers.process(
                step, arrival.body, attempt=attempt, transaction=None, expose_errors=self.policy.expose_errors
            )
        except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - handlers raise what they like: their work is tried again or parked
            return self._failed(received, key, message, sayable(error))
        self.at("after handle")
        return [_Done(key, received, message, parcels(self.listeners.topology, answered(message.workflow, outgoing)))]

    def _repeated(self, key: Key, received: Received, message: Message) -> Sequence[_Done]:
        """Have a repeat acknowledged; another first event of the same id is put among the dead letters."""
        if self.recollection.is_of_another(key, content(message.body)):
            error = conflict(key[0], message)
            if error is not None:
                return [self._refused((key[0], own_id(key[0], message.body)), received, message, error)]
        self.intake.settle([received])
        return ()

    def _failed(self, received: Received, key: Key, message: Message, error: BaseException) -> Sequence[_Done]:
        step, failures, now = self._step(received), self.recollection.failures(key) + 1, monotonic()
        waited = round((now - self.recollection.asked(key, now)) * 1e6) if isinstance(error, UnknownSchemaError) else 0
        settlement = settled(self.workflow, step, message, error, failures=failures, waited=waited, policy=self.policy)
        if isinstance(settlement, DeadLettered):
            return self._buried(received, message, settlement)
        if isinstance(settlement, BackedOff):
            self.missing.note(key[0], settlement.error)
            self._rest(received, min(settlement.rest / 1e6, LONGEST_BACK_OFF))
            return ()
        self.recollection.failed(key)
        where = origin(error, step.place["file"]) or "outside of the handler"
        LOG.warning("%s: attempt %d raised %s (%s)", key[0], failures, told(error), where, extra=_described(message))
        self._rest(received, settlement.rest / 1e6)
        return ()

    def _buried(self, received: Received, message: Message, dead: DeadLettered) -> Sequence[_Done]:
        """Put a message among the dead letters, and answer with the failure event of its step where an answer is possible."""
        why, queue = dead.said, received.arrival.queue
        said = (why.reason, why.error_type, why.error_message)
        LOG.error("%s: dead letter (%s): %s: %s", queue, *said, exc_info=dead.untold, extra=_described(message))
        answers = parcels(self.listeners.topology, answered(message.workflow, dead.outgoing))
        return [_Done((queue, message.event_id), received, message, answers, written(dead.letter))]

    def _refused(self, key: Key, received: Received, message: Message, error: StampError) -> _Done:
        """Put a message among the dead letters without an answer: it is no event, or not one of the run that it names."""
        LOG.error("%s: not taken for an event: %s", received.arrival.queue, error, extra=_described(message))
        why = letter(error)
        kept = why if self.policy.expose_errors else withheld(why, message.event_id)
        return _Done(key, received, message, (), written(kept))

    def _step(self, received: Received) -> Step:
        return self.workflow.steps[self.consumers[received.arrival.queue]]

    def _rest(self, received: Received, seconds: float) -> None:
        heappush(self._resting, (monotonic() + seconds, next(self._number), received))

    def _send(self, sender: Sender) -> None:
        addressed = [parcel for done in self._unsent for parcel in done.parcels]
        try:
            if addressed:
                self.listeners.warn(addressed)
                self.at("before publish")
                sender.post(addressed)
                self.at("after publish")
            self.at("before confirm")
            answers = iter(sender.confirm(self.timeout if addressed else 0))
            self.at("after confirm")
        except DeliveryError:
            self.disconnect()
            raise
        sent, self._unsent = self._unsent, []
        for done in sent:
            refused = [error for error in (next(answers) for _ in done.parcels) if error is not None]
            if refused and done.buried is None:
                self._unsent += self._failed(done.received, done.key, done.message, refused[0])
            else:
                self._settle(done)

    def _settle(self, done: _Done) -> None:
        """Have a message acknowledged, or put among the dead letters; whether its failure event was taken does not matter then."""
        if done.buried is not None:
            self.recollection.forget(done.key)
            self.intake.bury(done.received, done.buried)
            return
        self.recollection.done(done.key, content(done.message.body))
        self.intake.settle([done.received])

    def release(self) -> None:
        """Send what is done, and leave the rest to others: it was not acknowledged.

        Raises:
            DeliveryError: it could not be sent; others do it again.
        """
        try:
            if self._unsent:
                self.turn(take=False)
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection to publish on."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()


def _described(message: Message) -> dict[str, str]:
    return {"workflow_id": message.workflow_id, "event": message.event, "event_id": message.event_id.hex()}
