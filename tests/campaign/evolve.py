"""Random schemas evolve, and the word of `check` is held against data: `python tests/campaign/evolve.py --pairs 50000 --seed 1`.

A pair is a record and what became of it by one to three steps, safe and breaking ones, with recursion, namespaces and logical types; every
third pair is turned round. Where `check` has no error, data of the writer go into an envelope and are read through `Envelope.read` by a
view with the reader's schema: none may fail. Where it has errors, each must have a witness, that its writer writes and the reader
cannot read, which is tried the same way. Ends with 1 when that is not so, and says how to see the pair.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from stamp import Envelope
from stamp.compat import Finding, Severity, check, prove, read_source, with_witnesses
from stamp.compat.datum import encode
from stamp.compat.sampler import Sampler
from stamp.envelope import Contribution
from stamp.errors import DecodeError, LimitError, ResolutionError
from stamp.schema.catalog import Catalog, Entry
from stamp.schema.identity import SIZE, SchemaId, fingerprint
from stamp.schema.lint import problems
from stamp.schema.view import view_of
from stamp.testing.evolution import STEPS, evolve, write
from stamp.testing.outline import Outline

DATA: Final = 5
"""How many data of a clean pair are read."""

PROVED: Final = 20
"""Of how many clean pairs one is proved too."""

MAX_PAYLOAD: Final = 50_000
"""What goes into a contribution, in bytes."""

ENOUGH: Final = 0.995
"""How many of the errors must have a witness."""

MAX_TOLD: Final = 20


class Pair(NamedTuple):
    """A writer's and a reader's schema, and how the one became the other."""

    writer: Any
    reader: Any
    steps: tuple[str, ...]


def pair(seed: int, number: int) -> Pair:
    """Return one pair: always the same for the same seed and number."""
    random = Random(f"{seed}/{number}")
    recursion = random.random() < 0.5
    old = write(random.choice, record=True, recursion=recursion)
    _, new, steps = evolve(old, random.choice, steps=STEPS, most=3, recursion=recursion)
    return Pair(new, old, ("turned round", *steps)) if number % 3 == 0 else Pair(old, new, steps)


class Reading:
    """One contribution of a pair's writer at a time, in an envelope, and the view through which it is read."""

    def __init__(self, tried: Pair) -> None:
        sha256 = fingerprint(tried.writer)
        entry = Entry(
            SchemaId(sha256[:SIZE]), sha256, tried.writer
        )  # recursive ones too, which a folder of contracts refuses
        self._catalog, self._schema_id = Catalog([entry]), entry.id
        self._empty = Envelope.begin("campaign", "1", started_at=0, catalog=self._catalog)
        self._model = type("Seen", (BaseModel,), {})
        view_of(
            self._model
        ).schema = tried.reader  # not every schema is one of a model: this one takes whatever is decoded

    def envelope(self, payload: bytes) -> Envelope:
        contribution = Contribution(
            step="writer",
            schema_id=self._schema_id,
            payload=payload,
            event="Written",
            event_id=bytes(16),
            received_at=0,
            completed_at=0,
        )
        return Envelope.from_bytes(bytes(self._empty.append(contribution)), catalog=self._catalog)

    def as_written(self, payload: bytes) -> object:
        envelope = self.envelope(payload)
        return envelope.data(envelope["writer"])

    def as_read(self, payload: bytes) -> object:
        return self.envelope(payload).read("writer", self._model)


@dataclass
class Tally:
    """What has been counted, and what broke a law."""

    counts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """How many of the errors have a witness, from 0 to 1."""
        errors = self.counts["errors"]
        return self.counts["witnesses"] / errors if errors else 1.0

    @property
    def is_good(self) -> bool:
        return not self.broken and self.share >= ENOUGH


def run(seed: int, numbers: Iterable[int]) -> Tally:
    """Try the pairs of these numbers."""
    tally = Tally()
    for number in numbers:
        tried = pair(seed, number)
        try:
            findings = check(tried.reader, tried.writer, as_view=True)
            tally.counts["pairs"] += 1
            tally.counts["with recursion"] += bool(problems(tried.writer))
            tally.counts["with namespaces"] += any("." in name for name in Outline.of(tried.writer).types)
            tally.counts["with logical types"] += '"logicalType"' in json.dumps(tried.writer)
            tally.steps.update(tried.steps)
            tally.rules.update({leaf.rule for finding in findings for leaf in finding.leaves()})
            if any(each.severity is Severity.ERROR for each in findings):
                _try_errors(tried, findings, tally, f"{seed}/{number}")
            else:
                _try_clean(tried, tally, number, Random(f"{seed}/{number}/data"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the pair is told and the next one tried
            tally.broken.append(f"{seed}/{number}: {type(error).__name__}: {error}")
    return tally


def _try_clean(tried: Pair, tally: Tally, number: int, random: Random) -> None:
    tally.counts["clean"] += 1
    reading, writer = Reading(tried), read_source(tried.writer)
    reader = read_source(tried.reader).seen_as(writer.root.name)
    sampler = Sampler(writer.root, reader.root, lambda _, options: random.choice(options))
    for _ in range(DATA):
        payload = encode(writer.root, sampler.datum())
        if len(payload) > MAX_PAYLOAD:
            continue
        reading.as_written(payload)
        try:
            reading.as_read(payload)
        except (DecodeError, ResolutionError, LimitError) as error:
            raise AssertionError(f"no error, and not read: {payload.hex()}: {error}") from error
        tally.counts["data read"] += 1
    if number % PROVED == 0:
        tally.counts["data of proofs"] += prove(reader, writer, budget=2000)


def _try_errors(tried: Pair, findings: Sequence[Finding], tally: Tally, name: str) -> None:
    tally.counts["with errors"] += 1
    reading = Reading(tried)
    for finding in with_witnesses(findings, tried.reader, tried.writer, as_view=True):
        if finding.severity is not Severity.ERROR:
            continue
        tally.counts["errors"] += 1
        if finding.witness is None:
            tally.without.append(f"{name}: {finding.rule} at {finding.path or 'the whole'}")
            continue
        tally.counts["witnesses"] += 1
        reading.as_written(finding.witness.data)
        try:
            reading.as_read(finding.witness.data)
        except (DecodeError, ResolutionError, LimitError):
            continue
        raise AssertionError(f"a witness of {finding.rule} at {finding.path} is read: {finding.witness.datum}")


def _told(tally: Tally, seconds: float) -> str:
    lines = [f"{count:>9,}  {what}" for what, count in tally.counts.items()]
    lines += ["", "pairs by rule:", *(f"{count:>9,}  {rule}" for rule, count in tally.rules.most_common())]
    lines += ["", "steps:", *(f"{count:>9,}  {step}" for step, count in tally.steps.most_common())]
    lines += [
        "",
        f"{tally.share:.3%} of the errors have a witness, {len(tally.broken)} laws are broken, {seconds:.0f} s",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pair", type=int, help="the number of one pair, to look at")
    given = parser.parse_args()
    numbers = range(given.pairs) if given.pair is None else [given.pair]
    if given.pair is not None:
        print(json.dumps(pair(given.seed, given.pair)._asdict(), indent=1))
    begun = perf_counter()
    tally = run(given.seed, numbers)
    print(_told(tally, perf_counter() - begun))
    for problem in [*tally.broken, *tally.without][:MAX_TOLD]:
        print(f"pair {problem}  (--seed {given.seed} --pair N)")
    return 0 if tally.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
