"""Runs of the ticket example while everything is killed, and a ledger that says whether anything was lost or done twice.

`python tests/chaos/ledger.py --on rabbitmq --workflows 2000 --kills 200 --seed 11`. What it does and how to read it: README.md beside it.
Exit status: 0 if the ledger is right, 1 if not, 3 if a server is not installed.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from ground import GROUNDS
from mutants import MUTANTS
from servers import NotInstalledError
from trial import Terms, Trial


def main() -> int:
    terms = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with ExitStack() as stack:
        folder, log = stack.enter_context(_folder())
        try:
            trial = Trial(stack, terms, folder, log)
        except NotInstalledError as error:
            print(f"{error} is not installed", file=sys.stderr)
            return 3
        try:
            account = trial.run()
        except BaseException:
            _show_log(folder)
            raise
        if account.is_wrong:
            _show_log(folder)
    print("\n".join(account.lines()))
    return int(account.is_wrong)


def _asked() -> Terms:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=GROUNDS, required=True)
    parser.add_argument("--workflows", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds without any progress that end it")
    return Terms(**vars(parser.parse_args()))


@contextmanager
def _folder() -> Iterator[tuple[Path, IO[bytes]]]:
    """Give a folder in which servers of other accounts may have folders, too, and a log; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="stamp-chaos-"))
    folder.chmod(0o755)
    try:
        with (folder / "log").open("ab", buffering=0) as log:
            yield folder, log
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder; what a killed server has started may write into it for a moment longer."""
    until = time.monotonic() + 10
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


def _show_log(folder: Path) -> None:
    """Show the end of what workers and servers said, without the troubles that were made."""
    said = (folder / "log").read_text(errors="replace").splitlines()
    lines = [line for line in said if "TroubleError" not in line]
    print("\n".join(lines[-40:]), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
