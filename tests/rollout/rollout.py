"""Changes rolled out service by service while runs go on, and what they do: `check` and `plan` must not be wrong in either direction.

`python tests/rollout/rollout.py --on rabbitmq+postgresql`. What it does and how to read it: README.md beside it. Exit status: 0 if no safe change
did harm and every unsafe one did, 1 if not, 3 if a server is not there.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from change import Change
from ground import GROUNDS, AbsentError
from safe import SAFE
from trial import Row, Terms, safe, unsafe
from unsafe import UNSAFE


def main() -> int:
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    folder = Path(tempfile.mkdtemp(prefix="stamp-rollout-"))
    try:
        wrong = sum(_tried(asked, kind, folder) for kind in ("safe", "unsafe") if asked.changes in {kind, "all"})
    except AbsentError as error:
        print(error, file=sys.stderr)
        return 3
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print("the verdicts are wrong" if wrong else "the verdicts are right")
    return int(bool(wrong))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=GROUNDS, required=True)
    parser.add_argument("--changes", choices=("safe", "unsafe", "all"), default="all")
    parser.add_argument(
        "--only", metavar="TEXT", action="append", help="changes with this in their names; several if need be"
    )
    parser.add_argument("--rate", type=float, default=5.0, help="runs that are started in a second")
    parser.add_argument("--restarts", action="store_true", help="let old instances come back while new ones are there")
    parser.add_argument("--keep", action="store_true", help="leave the folder with all that services have said")
    return parser.parse_args()


def _terms(asked: argparse.Namespace) -> Terms:
    return Terms(on=asked.on, rate=asked.rate, restarts=asked.restarts)


def _tried(asked: argparse.Namespace, kind: str, folder: Path) -> int:
    """Try changes of a kind, print what came of them, and return how many were not what they are called."""
    print(f"{kind} changes on {asked.on}, {asked.rate:g} runs a second", flush=True)
    changes = [each for each in (SAFE if kind == "safe" else UNSAFE) if _is_asked(each, asked.only)]
    if not changes:
        return 0
    rows = _safe(asked, changes, folder) if kind == "safe" else _unsafe(asked, changes, folder)
    print("\n".join(_table(rows)), flush=True)
    return sum(_is_wrong(row, kind) for row in rows) + (len(rows) < len(changes))


def _is_asked(change: Change, only: Sequence[str] | None) -> bool:
    return not only or any(each in change.name for each in only)


def _safe(asked: argparse.Namespace, changes: Sequence[Change], folder: Path) -> list[Row]:
    with ExitStack() as stack:
        return safe(stack, _terms(asked), folder / "safe", changes, lambda text: print(f"  {text}", flush=True))


def _unsafe(asked: argparse.Namespace, changes: Sequence[Change], folder: Path) -> list[Row]:
    rows: list[Row] = []
    for number, change in enumerate(changes, start=1):
        with ExitStack() as stack:
            rows.append(unsafe(stack, _terms(asked), folder / f"unsafe-{number}", change))
        print(f"  {change.name}: {'harm' if rows[-1].did_harm else 'NO HARM'} in {rows[-1].seconds:.1f} s", flush=True)
    return rows


def _is_wrong(row: Row, kind: str) -> bool:
    if kind == "safe":
        return row.did_harm or not row.review.is_safe
    return not (row.did_harm and _was_warned(row))


def _was_warned(row: Row) -> bool:
    """Tell whether somebody who reads had to know: by an error, by the order of the plan, or by the warning that was not heeded."""
    review, change = row.review, row.change
    is_ordered = bool(change.order) and len(review.phases) > 1
    return not review.is_safe or is_ordered or change.warns in review.warnings


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| change | check, plan | deployed | runs | dead letters | failed | doubled | lost |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        review = row.review
        rules = review.rules or [f"{each} (warning)" for each in review.warnings if each == row.change.warns]
        verdict = f"{review.check}, {review.plan}{': ' if rules else ''}{', '.join(rules)}"
        phases = ", then ".join(map(" + ".join, review.phases)) if review.is_safe else "all the same"
        deployed = f"{', then '.join(row.change.order)}, not {phases}" if row.change.order else phases
        letters = ", ".join(f"{times} {reason}" for reason, times in row.letters.items()) or "0"
        yield f"| {row.change.name} | {verdict} | {deployed} | {row.runs} | {letters} | {row.failures} | {row.doubled} | {row.lost} |"
    yield from (f"  {row.change.name}: {note}" for row in rows for note in row.notes)


if __name__ == "__main__":
    sys.exit(main())
