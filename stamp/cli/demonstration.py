"""The example, played: what `stamp demo` shows."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

from stamp.cli.example import Example
from stamp.cli.playing import Playing, Tally
from stamp.cli.reading import Reading, read
from stamp.cli.rejects import Rejects
from stamp.cli.starts import Starts, starting_step
from stamp.cli.whole_file import WholeFile
from stamp.envelope.envelope import Envelope
from stamp.envelope.format import ENVELOPE, MAGIC
from stamp.schema.catalog import Catalog
from stamp.schema.container import ContainerWriter
from stamp.workflow import Workflow, export

__all__ = ["EVENTS", "SCHEMAS", "TICKETS", "Demonstration", "demonstrate"]

TICKETS: Final = "tickets.jsonl"
EVENTS: Final = "events.avro"
SCHEMAS: Final = "schemas"
"""What a demonstration leaves in its folder."""

SHOWN: Final = "4729"
"""The ticket that is shown, if it is among those that are played."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What was played in `seconds`, with so many `hops`, and one of the final events."""

    workflow: Workflow
    tally: Tally
    hops: int
    seconds: float
    shown: Reading


def demonstrate(example: Example, folder: Path, number: int) -> Demonstration:
    """Play so many of the example's tickets, and leave them, the final events and the contracts in `folder`."""
    schemas = folder / SCHEMAS
    workflow = example.workflow.with_contracts(schemas)
    export(workflow, schemas)
    tickets = b"".join(islice(_tickets(example), number))
    (folder / TICKETS).write_bytes(tickets)
    with WholeFile(folder / "rejects.jsonl") as rejects:
        starts = Starts(workflow, starting_step(workflow))
        playing = Playing(workflow, starts, Rejects(rejects), name=TICKETS, report=lambda _: None)
        began = time.perf_counter()
        bodies = list(playing.finals(io.BytesIO(tickets)))
        seconds = time.perf_counter() - began
    with WholeFile(folder / EVENTS) as file, ContainerWriter(file.stream, ENVELOPE, sync=os.urandom(16)) as container:
        for body in bodies:
            container.append(body[len(MAGIC) :])
    catalog = Catalog.from_folder(schemas)
    envelopes = [Envelope.from_bytes(body, catalog=catalog) for body in bodies]
    shown = next((each for each in envelopes if each.workflow_id == SHOWN), envelopes[-1])
    hops = sum(len(each.contributions) - 1 for each in envelopes)
    return Demonstration(workflow, playing.tally, hops, seconds, read(shown))


def _tickets(example: Example) -> Iterator[bytes]:
    """Yield the example's tickets, and then the same ones as other runs, without end."""
    yield from example.lines
    for again in count(2):
        for line in example.lines:
            ticket = json.loads(line)
            ticket["workflow_id"] += f"-{again}"
            yield json.dumps(ticket, ensure_ascii=False).encode() + b"\n"
