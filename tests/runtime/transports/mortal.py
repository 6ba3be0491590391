"""A process that is to be killed: `mortal.py publish|consume RECIPE TOPOLOGY QUEUE LOG`.

A publisher notes in LOG what was confirmed, a consumer what it has seen, before it acknowledges.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pkgutil import resolve_name

from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel, Transport
from stamp.store.message import Message

BATCH = 20


def publish(transport: Transport, topology: Topology, queue: str, log: int) -> None:
    sender = transport.sender(topology)
    number = 0
    while True:
        bodies = [b"%d-%d" % (os.getpid(), number + each) for each in range(BATCH)]
        sender.post([Parcel(Message("w", "1", "Ordered", body, body, {}), (queue,), again=True) for body in bodies])
        verdicts = sender.confirm(30)
        note(log, (body for body, wrong in zip(bodies, verdicts, strict=True) if wrong is None))
        number += BATCH


def consume(transport: Transport, topology: Topology, queue: str, log: int) -> None:
    receiver = transport.receiver(topology, [queue], prefetch=BATCH)
    while True:
        arrivals = receiver.receive(1)
        note(log, (each.body for each in arrivals))
        receiver.acknowledge(arrivals)


def note(log: int, bodies: Iterable[bytes]) -> None:
    """Write in one piece: whoever is killed has written all or nothing."""
    os.write(log, b"".join(body + b"\n" for body in bodies))


def main(work: str, recipe: str, topology: str, queue: str, path: str) -> None:
    factory, arguments, options = json.loads(recipe)
    transport = resolve_name(factory)(*arguments, **options)
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    {"publish": publish, "consume": consume}[work](transport, Topology.of(*json.loads(topology)), queue, log)


if __name__ == "__main__":
    main(*sys.argv[1:])
