"""What a test of the suite plays on: a broker, a workflow of three steps, and those who send and receive."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlencode

import pytest

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Arrival, Directory, Parcel, Promises, Receiver, Sender, Transport
from stamp.store.message import Message

from .brokers import LATE, STEPS, Broker, Foreign, sibling

PATIENCE = 20.0
"""Seconds to wait for what must come; nobody waits so long unless something is wrong."""

BUSY = 5.0
"""Seconds that a machine that does other things, too, may add to what is promised; less than the usual values of what the tests set."""


class Stage:
    """Opens senders and receivers, and closes them after the test."""

    def __init__(self, stack: ExitStack, broker: Broker, name: str) -> None:
        self._stack = stack
        self.broker = broker
        self.name = name
        self.sibling = sibling(name)
        self.topology = Topology.of(name, STEPS)
        self.later = Topology.of(name, STEPS | LATE)
        self.transport: Transport = broker.transport()

    @property
    def promises(self) -> Promises:
        return self.transport.promises

    @property
    def again(self) -> float:
        """Within how many seconds a message has to come again."""
        return self.promises.redelivers + BUSY

    def queue(self, step: str) -> str:
        return f"{self.name}.{step}"

    def behind(self, port: int) -> Stage:
        """Return the same stage, with the broker behind another port."""
        return Stage(self._stack, self.broker.behind(port), self.name)

    def with_options(self, **options: object) -> Stage:
        """Return the same stage, with a transport whose URL has these options."""
        (url,) = self.broker.arguments
        return Stage(self._stack, replace(self.broker, arguments=[f"{url}?{urlencode(options)}"]), self.name)

    def apart(self) -> Stage:
        """Return a stage in another namespace of the same broker."""
        if self.broker.apart is None:
            pytest.skip("it has one namespace")
        return Stage(self._stack, replace(self.broker, arguments=self.broker.apart), self.name)

    def sender(self) -> Sender:
        sender = self.transport.sender(self.topology)
        self._stack.callback(sender.close)
        return sender

    def receiver(self, *steps: str, prefetch: int = 100, topology: Topology | None = None) -> Receiver:
        queues = [self.queue(step) for step in steps]
        receiver = self.transport.receiver(topology or self.topology, queues, prefetch=prefetch)
        self._stack.callback(receiver.close)
        return receiver

    def without(self, step: str) -> Topology:
        """Return the topology without the queue of a step."""
        return Topology(self.name, tuple(each for each in self.topology.queues if each.step != step))

    def directory(self, workflow: str | None = None) -> Directory:
        directory = self.transport.directory(workflow or self.name)
        self._stack.callback(directory.close)
        return directory

    def remove(self, step: str, *, discard: bool = False) -> int:
        return self.transport.remove(self.topology, self.queue(step), discard=discard)

    def remove_when_left(self, step: str) -> int:
        """Remove a queue whose consumer was closed: a broker may take a moment to know."""
        end = monotonic() + PATIENCE
        while True:
            try:
                return self.remove(step)
            except DeliveryError as error:
                if "still consumed" not in str(error) or monotonic() > end:
                    raise
            sleep(0.02)

    def message(self, body: bytes = b"body", *, event: str = "Ordered", run: str = "", **headers: str) -> Message:
        """A message of a run of its own, unless told otherwise: some brokers keep those of one run together."""
        return Message(self.name, run or uuid.uuid4().hex, event, uuid.uuid4().bytes, body, headers)

    def parcel(self, body: bytes = b"body", *, event: str = "Ordered", run: str = "", **headers: str) -> Parcel:
        """A parcel for everybody who listens to `event`."""
        queues = tuple(each.name for each in self.topology.listeners(event))
        return Parcel(self.message(body, event=event, run=run, **headers), queues)

    def inject(self, step: str, foreign: Foreign) -> Foreign:
        """Put a message of somebody else into the queue of `step`, and return what should arrive: headers that are no text should not."""
        if self.broker.has_only_texts:
            texts = {
                name: value if isinstance(value, str) else json.dumps(value) for name, value in foreign.headers.items()
            }
            foreign = foreign._replace(headers=texts)
        self.broker.inject(self.queue(step), foreign)
        return foreign._replace(
            headers={name: value for name, value in foreign.headers.items() if isinstance(value, str)}
        )

    def send(self, *parcels: Parcel) -> Sequence[DeliveryError | None]:
        """Send with a sender that lives no longer than that, and return what the broker says."""
        sender = self.sender()
        sender.post(parcels)
        try:
            return sender.confirm(PATIENCE)
        finally:
            sender.close()

    def publish(self, *bodies: bytes, event: str = "Ordered", run: str = "") -> None:
        """Send `bodies` to all listeners of `event`; nothing may be wrong."""
        assert self.send(*(self.parcel(body, event=event, run=run) for body in bodies)) == [None] * len(bodies)

    def consumer(self, step: str, count: int) -> subprocess.Popen[str]:
        """Start a process that takes `count` messages from the queue of `step`, and return it when it has them all."""
        return self._process("consumer.py", json.dumps([self.name, STEPS]), self.queue(step), str(count))

    def scribe(self, workflow: str, documents: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a process that writes documents, and return it when it has."""
        return self._process("scribe.py", workflow, json.dumps(documents))

    def _process(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program of this folder, and return its process when it says that it is done."""
        command = [sys.executable, Path(__file__).with_name(program), self.broker.recipe(), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        return process

    def leftovers(self, receiver: Receiver) -> list[bytes]:
        """Return the bodies of what still arrives although nothing should."""
        return bodies(collect(receiver, sys.maxsize, within=self.broker.settles))


def collect(receiver: Receiver, count: int, *, within: float) -> list[Arrival]:
    """Return what arrives until there are `count` messages or more, or `within` seconds are over. Nothing is acknowledged."""
    end = monotonic() + within
    collected: list[Arrival] = []
    while len(collected) < count and (left := end - monotonic()) > 0:
        collected += receiver.receive(left)
    return collected


def take(receiver: Receiver, count: int, *, within: float = PATIENCE) -> list[Arrival]:
    """Return the next messages, which are `count`."""
    taken = collect(receiver, count, within=within)
    assert len(taken) == count, f"{len(taken)} messages came within {within} s, not {count}"
    return taken


def drain(receiver: Receiver, count: int) -> list[Arrival]:
    """Return the next messages, which are `count`, each acknowledged as soon as it has come."""
    drained: list[Arrival] = []
    deadline = monotonic() + PATIENCE
    while len(drained) < count and (left := deadline - monotonic()) > 0:
        arrivals = receiver.receive(left)
        receiver.acknowledge(arrivals)
        drained += arrivals
    assert len(drained) == count, f"{len(drained)} messages came, not {count}"
    return drained


def bodies(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [each.body for each in arrivals]
