"""How long `stamp check` takes from cold on a workspace of 20 steps with 10 versions each: `python tests/bench/workspace.py`.

The steps are a start, a chain, and three branches that fan out of it; each reads up to three steps before it. A branch of the
repository releases four versions more, changes a view, and retypes a field that others read. Every run is a new process; the least
of them says what the work takes, the median what a person waits. `--keep FOLDER` leaves the workspace for other looks at it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from stamp.ripple import Report, read_baseline, read_folder, ripple

WORKFLOW: Final = "order"
TRUNK: Final = 5
"""How many steps come before the flow fans out into BRANCHES."""

BRANCHES: Final = 3
READS: Final = 3
TODAY: Final = date(2026, 11, 23)
TYPES: Final[Sequence[Any]] = (
    *("string", "long", ["null", "string"], {"type": "array", "items": "string"}, "double", "boolean"),
    *({"type": "long", "logicalType": "timestamp-micros"}, {"type": "bytes", "logicalType": "decimal", "precision": 9}),
)
IN_PROCESS: Final = """
import time; begin = time.perf_counter()
import datetime
from stamp.ripple import read_baseline, read_folder, ripple
times = [time.perf_counter()]
now = read_folder({folder!r}); times.append(time.perf_counter())
old = read_baseline("main", {folder!r}, like=now); times.append(time.perf_counter())
report = ripple(now, [old], today={today!r}); times.append(time.perf_counter())
print(*(1000 * (after - before) for before, after in zip([begin, *times], times)))
"""
"""What the command does but for its options, proofs and output, in a process that has imported nothing."""

PARTS: Final = ("import", "read folder", "read git baseline", "ripple")


class Place(NamedTuple):
    """Where a step is in the flow."""

    name: str
    before: tuple[str, ...]

    @property
    def record(self) -> str:
        return f"{self.name.capitalize()}Done"


def places(steps: int) -> Iterator[Place]:
    """Yield steps in the order of the flow, each with those that it comes after, the nearest first."""
    made: list[Place] = []
    for number in range(steps):
        at = number - 1 if number <= TRUNK else number - BRANCHES if number >= TRUNK + BRANCHES else TRUNK - 1
        before = (made[at].name, *made[at].before) if made else ()
        made.append(Place(f"step{number}", before))
        yield made[-1]


def field(step: str, number: int, *, optional: bool = False) -> dict[str, Any]:
    type_ = TYPES[number % len(TYPES)]
    name = f"{step}_{number}"
    if optional:
        branches = type_ if isinstance(type_, list) else ["null", type_]
        return {"name": name, "type": branches, "default": None}
    return {"name": name, "type": type_}


def record(place: Place, version: int) -> dict[str, Any]:
    """Return what a step writes: eight fields that stay, and two optional ones, of which each version has one that is new."""
    fields = [field(place.name, number) for number in range(8)]
    fields += [field(place.name, version + at, optional=True) for at in (8, 9)]
    return {"type": "record", "name": place.record, "namespace": f"{WORKFLOW}.{place.name}", "fields": fields}


def view(place: Place, producer: str) -> dict[str, Any]:
    fields = [*(field(producer, number) for number in (0, 1, 3, 6)), field(producer, 12, optional=True)]
    return {"type": "record", "name": f"{producer.capitalize()}View", "fields": fields, "namespace": place.name}


def said(place: Place) -> dict[str, Any]:
    return {
        "workflow": WORKFLOW,
        "step": place.name,
        "on": [f"{place.before[0]}.done"] if place.before else [],
        "emits": {f"{place.name}.done": place.record},
        "reads": {step: f"reads/{step}.avsc" for step in place.before[:READS]},
    }


def lay(home: Path, *, steps: int, versions: int) -> Path:
    """Write the repository, with its `main` as it was and the work on a branch, and return the contracts folder."""
    folder = home / "schemas"
    flow = list(places(steps))
    for place in flow:
        write(folder, place, "step.json", said(place))
        for producer in place.before[:READS]:
            write(folder, place, f"reads/{producer}.avsc", view(place, producer))
        for number in range(1, versions + 1):
            write(folder, place, f"{place.record}.v{number}.avsc", record(place, number))
    git(home, "init", "--quiet", "--initial-branch=main")
    commit(home, "As it was")
    git(home, "checkout", "--quiet", "-b", "work")
    change(folder, flow, versions + 1)
    commit(home, "As it is")
    return folder


def change(folder: Path, flow: Sequence[Place], version: int) -> None:
    for place in (flow[len(flow) // 2], flow[len(flow) * 3 // 4], flow[-1]):
        write(folder, place, f"{place.record}.v{version}.avsc", record(place, version))
    broken = record(flow[2], version)
    broken["fields"][1]["type"] = "string"
    write(folder, flow[2], f"{flow[2].record}.v{version}.avsc", broken)
    reader, producer = flow[-1], flow[-1].before[0]
    wider = view(reader, producer)
    wider["fields"].append(field(producer, 4))
    write(folder, reader, f"reads/{producer}.avsc", wider)


def write(folder: Path, place: Place, name: str, content: Any) -> None:
    file = folder / WORKFLOW / place.name / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def git(home: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(("git", *identity, *arguments), cwd=home, check=True, capture_output=True)


def commit(home: Path, message: str) -> None:
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--message", message)


def run(command: Sequence[str], home: Path) -> tuple[float, float, str]:
    """Return the milliseconds that a new process takes, those that it works itself, and what it says."""
    used, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    took, now = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return took * 1000, (now.ru_utime - used.ru_utime + now.ru_stime - used.ru_stime) * 1000, done.stdout


def measure(title: str, command: Sequence[str], home: Path, *, rounds: int) -> None:
    runs = [run(command, home) for _ in range(rounds)]
    took, worked = [each[0] for each in runs], [each[1] for each in runs]
    print(f"{title:<52}{min(took):7.0f}{median(took):8.0f}{min(worked):7.0f}")


def measure_parts(folder: Path, *, rounds: int) -> None:
    script = IN_PROCESS.format(folder=str(folder), today=TODAY)
    rows = [run([sys.executable, "-c", script], folder)[2].split() for _ in range(rounds)]
    for title, column in zip(PARTS, zip(*rows, strict=True), strict=True):
        times = [float(each) for each in column]
        print(f"  {title:<50}{min(times):7.0f}{median(times):8.0f}")


def found(folder: Path) -> Report:
    now = read_folder(folder)
    return ripple(now, [read_baseline("main", folder, like=now)], today=TODAY)


def main() -> None:
    given = parsed()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(given.keep or temporary)
        folder = lay(home, steps=given.steps, versions=given.versions)
        report = found(folder)
        size = f"{given.steps} steps, {given.versions} versions each"
        print(f"{size}: {len(report.impacts)} findings, the worst is an {report.worst}")
        print(f"{'ms':<52}{'least':>7}{'median':>8}{'CPU':>7}")
        stamp = Path(sys.executable).with_name("stamp")
        for options in ([], ["--format", "json"], ["--no-prove"]):
            command = [str(stamp), "check", "schemas", "--against", "main", *options]
            measure(" ".join(["stamp", *command[1:]]), command, home, rounds=given.rounds)
        measure_parts(folder, rounds=given.rounds)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How long `stamp check` takes from cold.")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", metavar="FOLDER", help="where the workspace is left, an empty folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
