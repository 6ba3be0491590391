"""`stamp run`: a worker for one or more steps."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, Final

import click

from stamp.cli.logs import FORMATS, LEVELS, configure
from stamp.cli.readiness import Readiness
from stamp.cli.service import (
    SECONDS,
    WHOLE,
    broker_option,
    durable_store_url,
    flag_option,
    number_option,
    open_broker,
    store_option,
)
from stamp.cli.target import load_joined, targets_argument
from stamp.errors import InputError, StoreUnreachableError
from stamp.runtime.health import Health
from stamp.runtime.policy import POLICY, Policy
from stamp.runtime.retry import RETRY, Retry
from stamp.runtime.worker import Worker, check
from stamp.store.address import is_server
from stamp.store.store import Store

__all__ = ["command"]

LOG: Final = logging.getLogger("stamp.run")

COULD_NOT_GO_ON: Final = 2
AGAIN: Final = 2.0
"""How long to wait before asking for a database server again, in seconds."""


@click.command(short_help="Perform steps of a workflow, until told to stop.")
@targets_argument
@click.option(
    "--step",
    "steps",
    metavar="STEP",
    multiple=True,
    help="A step to perform; may be repeated.  [default: all that are defined]",
)
@broker_option
@store_option
@number_option(WHOLE, "concurrency", POLICY.concurrency, "How many handlers run at the same time.")
@number_option(WHOLE, "prefetch", POLICY.prefetch, "How many messages a broker gives out before they are acknowledged.")
@number_option(
    WHOLE, "prefetch-bytes", POLICY.prefetch_bytes, "How many bytes they may have; one message is always taken."
)
@number_option(WHOLE, "attempts", RETRY.attempts, "How often a handler may raise before its message is a dead letter.")
@number_option(SECONDS, "lease", POLICY.lease, "How many seconds others wait for the works of a worker that died.")
@number_option(
    SECONDS, "schema-patience", POLICY.schema_patience, "How many seconds a message waits for an unknown schema."
)
@number_option(
    SECONDS, "patience", POLICY.patience, "After how many seconds another attempt may begin at work that is held."
)
@flag_option(
    "expose-errors",
    "Whether failure events, the store and dead letters tell the texts of errors.",
    default=POLICY.expose_errors,
)
@click.option("--health", metavar="HOST:PORT", envvar="STAMP_HEALTH", help="Answer GET /live and GET /ready there.")
@click.option("--log-format", type=click.Choice(FORMATS), default="text", envvar="STAMP_LOG_FORMAT", show_default=True)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", envvar="STAMP_LOG_LEVEL", show_default=True)
def command(
    *,
    targets: tuple[str, ...],
    schemas: Path | None,
    steps: tuple[str, ...],
    broker: str | None,
    store: str | None,
    health: str | None,
    log_format: str,
    log_level: str,
    **settings: Any,
) -> None:
    """Perform steps of a workflow: take their messages, call their handlers, publish their events.

    Services whose modules have a Workflow of their own, of one name, can share a process: name them all.

    Without a broker, workers on one machine work together over one file; start as many as you like. What a handler writes with
    `StepContext.transaction`, that its message is done, and its event are one transaction: a worker may be killed at any moment.

    SIGTERM or Ctrl-C: finish, acknowledge, stop. Exit status: 0 when told to stop, 2 if it could not go on.

    Example: stamp run examples.ticket:ticket --step validation --step assignment
    """
    configure(log_format, log_level)
    place, over, readiness = _address(health), Event(), Readiness()
    _on_signals(over.set)
    with ExitStack() as stack:
        if place is not None:  # before anything that may take long
            answering = stack.enter_context(Health(*place, live=readiness.dead, ready=readiness.troubles))
            LOG.info("health at http://%s:%d/ready", *answering.address)
        workflow, policy, wanted = load_joined(targets, contracts=schemas), _policy(**settings), steps or None
        carrier, url = open_broker(broker), durable_store_url(store)
        check(workflow, wanted)  # a mistake is no reason to wait for a database
        database = None if url is None else _opened(url, over, readiness)
        if over.is_set():
            return
        if database is not None:
            stack.enter_context(database)
        worker = Worker(workflow, steps=wanted, broker=carrier, store=database, policy=policy)
        _on_signals(worker.stop)
        if over.is_set():  # in the moment in which there was nobody else to be told
            worker.stop()
        LOG.info(
            "on %s", " and ".join(each for each in (carrier and carrier.address, database and database.url) if each)
        )
        with worker:
            readiness.worker = worker
            worker.wait()
    if worker.failure is not None:
        raise click.exceptions.Exit(COULD_NOT_GO_ON)


def _policy(*, attempts: int, **settings: Any) -> Policy:
    return Policy(retry=Retry(attempts=attempts), **settings)


def _opened(url: str, over: Event, readiness: Readiness) -> Store | None:
    """Open a store; a server may come up later than we do. None if we are told to stop before that."""
    while not over.is_set():
        try:
            return Store.open(url)
        except StoreUnreachableError as error:
            if not is_server(url):
                raise
            readiness.waits_for = f"store: {error}"
            LOG.warning("%s; trying again", error)
            over.wait(AGAIN)
    return None


def _on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` when we are told to."""

    def told(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)  # who cannot wait says it twice
        stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)


def _address(health: str | None) -> tuple[str, int] | None:
    if health is None:
        return None
    host, colon, port = health.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise InputError(f"expected HOST:PORT, such as 127.0.0.1:8080, got {health!r}", path="--health")
    return host.strip("[]"), int(port)
