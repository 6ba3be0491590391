"""Mutated envelopes by the hundred thousand: `python tests/hostile/envelopes.py --count 200000 --seed 1`.

Takes the final envelopes of the ticket example, breaks each in one to four places, and does with the result all that a service or
a person would: read it, tell it as JSON, merge it, and take it as the next event of a step. Nothing may come out but a result or
an error of stamp's own; nothing may take longer than 50 ms, or more than 64 MiB of memory beyond what was there before.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from traceback import extract_tb

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from examples.ticket import intake, ticket  # noqa: E402 - only now the examples can be found
from stamp import Envelope, StampError  # noqa: E402
from stamp.envelope import document  # noqa: E402
from stamp.testing import Simulation  # noqa: E402

EXAMPLES = Path(intake.__file__).parent
LONGEST = 0.050
MOST = 64 * 1024

NUMBERS = tuple(
    bytes.fromhex(text)
    for text in (
        *("00", "01", "02", "03", "7f", "80", "ff", "8000", "ff7f", "feffffff0f", "ffffffff0f", "8080808010"),
        *("feffffffffffffffff01", "ffffffffffffffffff01", "ffffffffffffffffff02", "80808080808080808080808001"),
    )
)
"""Numbers at the edges of their types, overlong ones, and ones that never end."""


def corpus() -> list[bytes]:
    """Return every envelope of some runs, from the first event to the last."""
    simulation = Simulation(ticket)
    lines = (ROOT / "examples" / "ticket" / "tickets.jsonl").read_text(encoding="utf-8").split("\n")[:20]
    for line in lines:
        run = json.loads(line)["workflow_id"]
        simulation.start(intake.Ticket.model_validate_json(line), workflow_id=run, attributes={"tenant": "acme"})
    simulation.run()
    finals = [final for line in lines for final in simulation.finals(json.loads(line)["workflow_id"])]
    return [bytes(final.at(number)) for final in finals for number in range(len(final.contributions))]


def flip(body: bytearray, random: Random, _: list[bytes]) -> None:
    body[random.randrange(len(body))] ^= 1 << random.randrange(8)


def overwrite(body: bytearray, random: Random, _: list[bytes]) -> None:
    body[random.randrange(len(body))] = random.choice((0, 1, 2, 127, 128, 255, random.randrange(256)))


def renumber(body: bytearray, random: Random, _: list[bytes]) -> None:
    at = random.randrange(len(body))
    body[at : at + random.randrange(3)] = random.choice(NUMBERS)


def cut(body: bytearray, random: Random, _: list[bytes]) -> None:
    at = random.randrange(len(body))
    del body[at : at + random.randrange(1, 40)]


def truncate(body: bytearray, random: Random, _: list[bytes]) -> None:
    del body[random.randrange(len(body)) :]


def repeat(body: bytearray, random: Random, _: list[bytes]) -> None:
    at, size = random.randrange(len(body)), random.randrange(1, 200)
    body[at:at] = body[at : at + size] * random.randrange(1, 4)


def splice(body: bytearray, random: Random, others: list[bytes]) -> None:
    other = random.choice(others)
    at, size = random.randrange(len(other)), random.randrange(1, 300)
    body[random.randrange(len(body)) :] = other[at : at + size]


def grow(body: bytearray, random: Random, _: list[bytes]) -> None:
    at = random.randrange(len(body))
    body[at:at] = random.randbytes(random.choice((1, 10, 1000)))


MUTATIONS: tuple[Callable[[bytearray, Random, list[bytes]], None], ...] = (
    *(flip, overwrite, renumber, renumber),
    *(cut, truncate, repeat, splice, grow),
)


def mutated(random: Random, bodies: list[bytes]) -> bytes:
    """Return one of the bodies with one to four mutations; three in four keep the magic, which would end most of them at once."""
    body = bytearray(random.choice(bodies))
    magic = bytes(body[:10])
    for _ in range(random.randrange(1, 5)):
        if body:
            random.choice(MUTATIONS)(body, random, bodies)
    return magic + bytes(body[10:]) if random.randrange(4) else bytes(body)


def read(body: bytes) -> None:
    envelope = Envelope.from_bytes(body, catalog=ticket.catalog)
    json.dumps(document(envelope))
    envelope.merge(envelope)


def work(body: bytes) -> None:
    event = Envelope.from_bytes(body).contributions[-1:]
    for step in ticket.steps.values():
        if step.handler is not None and (not event or event[0].event in step.on):
            ticket.process(step.name, body)


def take(body: bytes) -> None:
    for step in ("validation", "billing", "survey"):
        ticket.process(step, body)


ACTS: tuple[Callable[[bytes], None], ...] = (read, work, take)


def attempt(act: Callable[[bytes], None], body: bytes) -> tuple[str, float]:
    """Return what came of it, and how long it took in seconds. Anything but an error of ours, or of the example, comes out."""
    start = time.process_time()
    try:
        act(body)
    except StampError as error:
        return type(error).__name__, time.process_time() - start
    except Exception as error:
        if not any(Path(frame.filename).parent == EXAMPLES for frame in extract_tb(error.__traceback__)):
            raise
        return "the handler raised", time.process_time() - start  # a well-formed value that its service does not know
    return "well", time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="how many mutated envelopes (default 200,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    options = parser.parse_args()
    random, bodies, outcomes, slowest = Random(options.seed), corpus(), Counter[str](), 0.0
    for body in bodies:
        for act in ACTS:
            attempt(act, body)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for number in range(options.count):
        body = mutated(random, bodies)
        for act in ACTS:
            try:
                outcome, took = attempt(act, body)
                if took > slowest:  # a pause of the machine does not come three times
                    took = min(took, *(attempt(act, body)[1] for _ in range(2)))
            except Exception:
                print(f"number {number} of seed {options.seed}, {act.__name__}: {body.hex()}", file=sys.stderr)
                raise
            slowest = max(slowest, took)
            outcomes[f"{act.__name__}: {outcome}"] += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:>9,}  {outcome}")
    print(f"{options.count:,} mutated envelopes in {time.perf_counter() - began:.0f} s, seed {options.seed}")
    print(
        f"slowest {slowest * 1000:.1f} ms (at most {LONGEST * 1000:.0f}), {grown / 1024:.1f} MiB more memory (at most {MOST >> 10})"
    )
    return 0 if slowest <= LONGEST and grown <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
