"""`stamp doctor`: what is wrong, or may become so, with a broker and a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import click

from stamp.cli.render import examination as render
from stamp.cli.render.console import output_console
from stamp.cli.render.visible import json_text
from stamp.cli.service import broker_option, broker_url, store_option, store_url
from stamp.cli.target import load
from stamp.errors import InputError
from stamp.runtime.doctor.diagnosis import Diagnosis, State
from stamp.runtime.doctor.examination import Examination, Patient, examinations

__all__ = ["command"]


@click.command(short_help="Say what is wrong with a broker and a store, and what to set.")
@click.argument("target", metavar="[MODULE:WORKFLOW]", required=False)
@broker_option
@store_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How.")
def command(*, target: str | None, broker: str | None, store: str | None, form: str) -> None:
    """Look at the broker and the store that workers would use: at what is set, at what happens, and at what waits there.

    Each trap that is known is looked at, and it is said what to set. With a workflow its queues are looked at, too. Probes make queues
    and tables of their own, and remove them again; nothing of yours is changed.

    Exit status: 1 if there is a problem; warnings, of what may be meant so, are none.

    Example: stamp doctor examples.ticket:ticket --broker amqp://guest:guest@127.0.0.1//
    """
    workflow = None if target is None else load(target)
    if workflow is not None:
        workflow.check()
    patient = Patient(broker=broker_url(broker), store=store_url(store), workflow=workflow)
    if patient.broker is None and patient.store is None:
        raise InputError("expected a broker or a store to look at, got neither")
    found: Counter[State] = Counter()
    shown = _text if form == "text" else _json
    shown(examinations(patient), found)
    if found[State.PROBLEM]:
        raise click.exceptions.Exit(1)


def _text(examined: Iterable[Examination], found: Counter[State]) -> None:
    """Show each examination when it is done: some take long."""
    for each in examined:
        diagnoses = _diagnosed(each, found)
        output_console().print(render.text(each, diagnoses))
    output_console().print(render.summary(found))


def _json(examined: Iterable[Examination], found: Counter[State]) -> None:
    done = [(each, _diagnosed(each, found)) for each in examined]
    click.echo(json_text(render.document(done, found)).encode())


def _diagnosed(examination: Examination, found: Counter[State]) -> Sequence[Diagnosis]:
    diagnoses = list(examination.diagnoses)
    found.update(each.state for each in diagnoses)
    return diagnoses
