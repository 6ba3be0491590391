"""Starts runs all the time, until told to stop: the service of the starting step, in the folder of its release."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import Event

from stamp.runtime.brokers import transport
from stamp.runtime.publisher import Publisher
from stamp.store.store import Store

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Start a run for each ticket of the file `tickets` in turn, and a line in the file `started` for each: its id, its ticket, the time.

    A ticket is a JSON object a line. The runs are called after `name`. No broker is an empty URL.
    """
    name, rate, store, broker, tickets, started = arguments
    over = Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    ticket = import_module("service").ticket
    [first] = (step for step in ticket.steps.values() if step.handler is None)
    [model] = first.emissions
    lines = [json.loads(line) for line in Path(tickets).read_bytes().splitlines()]
    carrier = transport(broker) if broker else None
    with (
        Store.open(store) as database,
        Publisher(ticket, broker=carrier, store=database) as publisher,
        Path(started).open("a", buffering=1) as book,
    ):
        for number in count():
            index, run = number % len(lines), f"{name}-{number}"
            publisher.publish(ticket.start(model.model_validate(lines[index]), workflow_id=run))
            book.write(f"{run} {index} {time.time()}\n")
            if over.wait(1 / float(rate)):
                return
