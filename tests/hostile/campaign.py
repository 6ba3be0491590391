"""The whole hostile campaign: `python tests/hostile/campaign.py`, with `--scale 0.001` a small one.

1,000,000 mutated envelopes, 200,000 tables of AMQP headers and 44,000 hostile schemas, by the programs beside this one, which say what they do
and what must hold. They run in portions, two at a time, each in a process of its own with a seed of its own: so one that dies, hangs or eats up
the memory is a finding like any other, with the line that does it again. Exit status 1 if there is one.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent

MEMORY: Final = 2 << 30
"""Bytes of address space that a process may have; far more than what each program allows itself."""

PATIENCE: Final = 900.0
"""Seconds after which a portion has hung."""

TALLY: Final = re.compile(r" *([\d,]+)  (.+)")
"""A line in which a program tells how often what came of its input."""


class Part(NamedTuple):
    """A program, how many inputs it gets in all, and how many in one portion."""

    program: str
    count: int
    portion: int


PARTS: Final = (
    Part("envelopes", 1_000_000, 50_000),
    Part("tables", 200_000, 10_000),
    Part("schemas", 44_000, 2_000),
)


class Portion(NamedTuple):
    """Some of the inputs of a program, as its arguments say them."""

    program: str
    count: int
    seed: int

    @property
    def arguments(self) -> Sequence[str]:
        path = (HERE / f"{self.program}.py").as_posix()
        return (path, "--count", str(self.count), "--seed", str(self.seed))

    def __str__(self) -> str:
        return " ".join(("python", *self.arguments))


def portions(scale: float, seed: int, only: Sequence[str]) -> Iterator[Portion]:
    """Yield what is to be done; each portion has a seed of its own."""
    for part in PARTS:
        if part.program in only:
            left, number = max(1, round(part.count * scale)), 0
            while left > 0:
                yield Portion(part.program, min(left, part.portion), seed * 1_000 + number)
                left, number = left - part.portion, number + 1


def perform(portion: Portion) -> subprocess.CompletedProcess[str]:
    """Run a program on its portion; what it said, and 124 as its status if it hung."""
    command = [sys.executable, *portion.arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE, preexec_fn=_bounded
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {PATIENCE:.0f} s\n")


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="which part of it (default 1.0: all)")
    parser.add_argument("--seed", type=int, default=1, help="of all inputs (default 1)")
    parser.add_argument("--only", choices=[each.program for each in PARTS], action="append", help="this program alone")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=2, help="how many at a time (default 2)")
    options = parser.parse_args()
    only = options.only or [each.program for each in PARTS]
    began, tallies, failed = time.perf_counter(), Counter[str](), 0
    with ThreadPoolExecutor(options.processes) as pool:
        todo = list(portions(options.scale, options.seed, only))
        for portion, done in zip(todo, pool.map(perform, todo), strict=True):
            for line in done.stdout.splitlines():
                if found := TALLY.fullmatch(line):
                    tallies[f"{portion.program}: {found[2]}"] += int(found[1].replace(",", ""))
            *_, last = done.stdout.splitlines() or [""]
            print(f"{portion.program} {portion.seed}: {last}", flush=True)
            if done.returncode:
                failed += 1
                print(f"exit status {done.returncode}, again: {portion}\n{done.stderr[-4000:]}", file=sys.stderr)
    for outcome, count in sorted(tallies.items()):
        print(f"{count:>9,}  {outcome}")
    took = time.perf_counter() - began
    print(f"{len(todo)} portions in {took:.0f} s, seed {options.seed}, scale {options.scale:g}; {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
