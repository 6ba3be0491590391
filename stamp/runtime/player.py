"""A whole workflow in one process: every step, and a broker of its own between them."""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from kombu.message import Message
from kombu.messaging import Consumer, Producer

from stamp.envelope.format import CONTENT_TYPE
from stamp.errors import HandlerError
from stamp.runtime import entities, in_process
from stamp.runtime.connection import Connection
from stamp.runtime.message import Publishable, publish
from stamp.runtime.topology import Topology
from stamp.workflow.outgoing import source

__all__ = ["Choreography", "Final", "Parked", "Participant", "Played", "Waiting", "play"]


class Participant(Protocol):
    """A step, as a player sees it."""

    @property
    def on(self) -> Collection[str]:
        """The events that it listens to; none if it starts the workflow."""

    @property
    def emits(self) -> Collection[str]:
        """The events that it publishes when its work succeeds."""

    @property
    def fails(self) -> str:
        """The event that it publishes when its work fails."""

    @property
    def ends(self) -> Collection[str]:
        """Those of its events that it declares to end a run."""


class Choreography(Protocol):
    """A workflow, as a player sees it."""

    @property
    def name(self) -> str:
        """The name of the workflow."""

    @property
    def parties(self) -> Mapping[str, Participant]:
        """All steps by name."""

    @property
    def steps(self) -> Collection[str]:
        """The names of those steps that have their code here."""

    def process(self, step: str, body: bytes, /) -> Sequence[Publishable]:
        """Run `step` on the envelope `body` and return what it publishes."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    event: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def workflow_id(self) -> str | None:
        """The run that it belongs to, as far as its headers tell (CloudEvents `subject`)."""
        return self.headers.get("ce-subject")


@dataclass(frozen=True, slots=True)
class Final(_Arrived):
    """One end of a run: an event that is declared as an end, or that no step listens to."""


@dataclass(frozen=True, slots=True)
class Parked(_Arrived):
    """An event that `step` could not process, as it came, and the error that was raised."""

    step: str
    error: Exception


@dataclass(frozen=True, slots=True)
class Waiting(_Arrived):
    """An event that waits for `step`, which is known by its contract and whose code is elsewhere."""

    step: str


Played: TypeAlias = Final | Parked | Waiting


def play(workflow: Choreography, starts: Iterable[Publishable]) -> Iterator[Played]:
    """Play `workflow` from each of `starts` and yield how it ends, as soon as it does.

    One run after the other: the next start is taken from the iterable when nothing of the one before is left. So results come in
    the order of the starts, what a run yields does not depend on the runs before it, and memory holds one run, however many there
    are. Within a run the steps take turns in their order in `workflow.parties`.

    What a step cannot process is parked, what is for a step that is not here waits, and the others go on.

    Raises:
        UnroutableError: a start is an event that no step listens to or publishes.
    """
    parties = workflow.parties.items()
    topology = Topology.of(
        workflow.name, {name: each.on for name, each in parties}, {name: each.ends for name, each in parties}
    )
    with in_process.connect() as connection:
        stage = _Stage(workflow, topology, connection)
        for start in starts:
            stage.publish(start)
            yield from stage.drain()


class _Stage:
    """The steps on one connection: what one of them publishes is delivered to those that listen to it."""

    def __init__(self, workflow: Choreography, topology: Topology, connection: Connection) -> None:
        self._workflow = workflow
        self._topology = topology
        self._connection = connection
        self._steps = {queue.name: queue.step for queue in topology.queues}
        self._arrived: deque[tuple[Message, Exception | None]] = deque()
        ends = entities.queue(topology, f"{workflow.name}:ends", _ends(workflow, topology))
        consumer = Consumer(
            connection.default_channel,
            [ends, *entities.queues(topology)],
            accept=[CONTENT_TYPE],
            on_message=lambda message: self._arrived.append((message, None)),
            on_decode_error=lambda message, error: self._arrived.append((message, error)),
        )
        consumer.consume()
        # The exchange is declared by now; it need not be once more for every event.
        self._producer = Producer(connection.default_channel, entities.exchange(topology), auto_declare=False)

    def publish(self, outgoing: Publishable) -> None:
        publish(self._producer, outgoing)

    def drain(self) -> Iterator[Played]:
        """Let the steps work until no message is left, and yield what ends on the way."""
        while self._receive():
            message, refused = self._arrived.popleft()
            played = self._perform(message, refused)
            message.ack()
            if played is not None:
                yield played

    def _receive(self) -> bool:
        """Take one message from the broker; False when there is none. It is in this process: nothing is on its way."""
        try:
            self._connection.drain_events(timeout=0)
        except TimeoutError:
            return False
        return True

    def _perform(self, message: Message, refused: Exception | None) -> Played | None:
        step = self._steps.get(message.delivery_info["routing_key"])
        arrived = message.properties["type"], message.body, message.headers
        if step is None:
            is_end = self._topology.is_end(message.properties["type"], source(message.headers))
            return Final(*arrived) if is_end else None
        if step not in self._workflow.steps:
            return Waiting(*arrived, step)
        error = refused or self._hop(step, message.body)
        return None if error is None else Parked(*arrived, step, error)

    def _hop(self, step: str, body: bytes) -> Exception | None:
        """Run `step` on `body` and publish what it gives; return what was raised on the way.

        What was published before that stays so; it would be repeated, with the same event id, if the step ran again.
        """
        try:
            for outgoing in self._workflow.process(step, body):
                self.publish(outgoing)
        except Exception as error:  # noqa: BLE001 - handlers raise what they like: it is reported, and the others go on
            return error
        except (SystemExit, CancelledError) as error:  # no handler ends the play, and what is not yet written
            return HandlerError(f"the handler raised {error!r}", path=step)
        return None


def _ends(workflow: Choreography, topology: Topology) -> list[str]:
    """Return the events that end a run, for one of those who publish them at least; each once."""
    emitted = ((event, name) for name, step in workflow.parties.items() for event in (*step.emits, step.fails))
    return list(dict.fromkeys(event for event, name in emitted if topology.is_end(event, name)))
