"""Makes processes: `python forked.py` reads orders from standard input, a JSON object a line, and answers with the process id of a fork that has it.

A fork, because importing takes a second, and two shared cores have none to spare. Each runs a command of stamp or the starter, as a process of its
own, and writes its exit status beside what it says. All of them die with this process, and this one with whoever gives the orders.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import amqp  # noqa: F401 - it takes long
import psycopg  # noqa: F401 - the same
import starter

from stamp.cli import check, export, plan, run  # noqa: F401 - the same
from stamp.cli.contracts import group  # noqa: F401 - the same
from stamp.cli.main import main as stamp

PR_SET_PDEATHSIG: Final = 1

PROGRAMS: Final[Mapping[str, Callable[[Sequence[str]], Any]]] = {
    "stamp": lambda _: stamp(),  # it reads sys.argv
    "starter": starter.main,
}


def main() -> None:
    _die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here: who gave the order looks at the process
    for line in sys.stdin:
        sys.stdout.write(f"{_fork(json.loads(line))}\n")
        sys.stdout.flush()


def _fork(order: Mapping[str, Any]) -> int:
    parent, child = os.getpid(), os.fork()
    if child:
        return child
    status = 70
    try:
        _die_with_parent()
        if os.getppid() == parent:
            status = _performed(**order)
    finally:
        os._exit(status)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _performed(*, program: str, arguments: Sequence[str], cwd: str, said: str) -> int:
    """Run a program in a folder; what it says goes into the file `said`, and its exit status beside that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(cwd)
    sys.path.insert(0, cwd)
    sys.argv = [program, *arguments]
    status = _status(PROGRAMS[program], arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    Path(f"{said}.status").write_text(str(status))
    return status


def _status(program: Callable[[Sequence[str]], Any], arguments: Sequence[str]) -> int:
    try:
        program(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - it has to be told in any case: this is the top of a program
        traceback.print_exc()
        return 70
    return 0


if __name__ == "__main__":
    main()
