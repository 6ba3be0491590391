"""Workers, each a process of its own: `STAMP_CHAOS='{"store": ..., ...}' python tests/chaos/service.py`.

It reads orders from standard input, a line each, and answers with the process id of the worker that has them. A worker is a fork, because
importing takes a second and a worker of this test lives hardly longer. All of them die with whoever gives the orders.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from counted import Counted
from mutants import MUTANTS
from setting import POLICY, Orders, Setting
from sqlalchemy import create_engine
from tickets import Books, append, chaotic
from troubles import Troubles

from stamp import Workflow
from stamp.errors import StoreError
from stamp.runtime.points import pass_by
from stamp.runtime.transport import Transport
from stamp.runtime.worker import Worker
from stamp.store.address import address
from stamp.store.store import Store

PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    die_with_parent()
    setting = Setting.read(os.environ["STAMP_CHAOS"])
    if setting.mutant:
        MUTANTS[setting.mutant](broker=bool(setting.broker))
    workflow = chaotic(Books(Troubles(setting.seed), setting.calls))
    workflow.check()
    setting.transport()
    create_engine(address(setting.store)).dispose()  # both import what they need
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # nobody waits for workers: who gave the orders looks at their processes
    for line in sys.stdin:
        sys.stdout.write(f"{fork(partial(work, setting, workflow, Orders.read(line)))}\n")
        sys.stdout.flush()


def fork(run: Callable[[], int]) -> int:
    """Return the process id of a child that runs this, and nothing else."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        die_with_parent()
        if os.getppid() == parent:
            status = run()
    except BaseException:
        logging.getLogger("chaos").exception("a worker ended by itself")
    finally:
        logging.shutdown()
        os._exit(status)


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def work(setting: Setting, workflow: Workflow, orders: Orders) -> int:
    """Be a worker until told to stop, and leave a mark when ready and when over."""
    logging.basicConfig(level=logging.WARNING, format=f"%(asctime)s {orders.name} %(levelname)s %(name)s: %(message)s")
    marks = Path(setting.folder)
    with opened(setting.store) as store:
        worker = Worker(
            workflow,
            steps=orders.steps,
            broker=counted(setting),
            store=store,
            policy=POLICY,
            at=Fate(orders, marks / f"{orders.name}.sleeps") if orders.point else pass_by,
        )
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        worker.start()
        (marks / f"{orders.name}.ready").touch()
        worker.wait()
        worker.stop()
        ended = worker.join()
    told = "failed" if worker.failure is not None else "stopped" if ended else "hung"
    (marks / f"{orders.name}.over").write_text(told)
    return 0


def opened(url: str) -> Store:
    """Open the store, when it is there: it may just be down."""
    while True:
        try:
            return Store.open(url)
        except StoreError:
            time.sleep(0.1)


def counted(setting: Setting) -> Transport | None:
    broker = setting.transport()
    return broker and Counted(broker, lambda parcels, again: append(setting.sends, f"{parcels} {again}"))


class Fate:
    """Kills this process, or puts it to sleep, when it passes a point for the `passing`th time; leaves `mark` before it sleeps."""

    def __init__(self, orders: Orders, mark: Path) -> None:
        self._orders, self._mark = orders, mark
        self._passed = 0

    def __call__(self, point: str) -> None:
        if point == self._orders.point:
            self._passed += 1
            if self._passed == self._orders.passing:
                if self._orders.signal == signal.SIGSTOP:
                    self._mark.touch()
                os.kill(os.getpid(), self._orders.signal)


if __name__ == "__main__":
    main()
