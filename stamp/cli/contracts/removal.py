"""`stamp contracts remove`: a step whose service is gone."""

from __future__ import annotations

import click

from stamp.cli.contracts.place import every_directory, place_options
from stamp.cli.render.console import tell
from stamp.cli.render.quantity import counted
from stamp.errors import InputError
from stamp.runtime.directories import Directories
from stamp.workflow.announced import announced
from stamp.workflow.names import is_step_name, is_workflow_name

__all__ = ["remove"]


@click.command(short_help="Take out a step whose service is gone.")
@click.argument("step", metavar="STEP")
@click.option("--workflow", metavar="NAME", required=True, help="The workflow of the step.")
@place_options
@click.option("--discard", is_flag=True, help="Give up the messages that wait for it, too.")
def remove(*, step: str, workflow: str, store: str | None, broker: str | None, discard: bool) -> None:
    """Take out a step whose service is gone for good: no event is sent to it any more, and its queue goes.

    Refused as long as messages wait for it, unless --discard says to give them up: their events count as done. Its dead letters stay, and
    so do the schemas of what it has written. Stop its workers before; one that starts later announces the step again. Where services have
    a store and a broker, give both.

    Exit status: 1 if there is no such step.

    Example: stamp contracts remove survey --workflow ticket --store postgresql://user@host/database
    """
    if not is_workflow_name(workflow) or not is_step_name(step):
        raise InputError(f"expected the names of a workflow and a step, got {workflow!r} and {step!r}")
    found = []
    for each in every_directory(store, broker):
        with each as place:
            found.append(_removed(place, workflow, step, discard=discard))
    if not any(found):
        raise click.exceptions.Exit(1)


def _removed(place: Directories, workflow: str, step: str, *, discard: bool) -> bool:
    """Take a step out at one place, and tell whether it was there."""
    documents = place.read(workflow)
    found = announced({key: each.text for key, each in documents.items()}, workflow)
    known = {*found.steps, *(name for name, events in found.listeners.items() if events)}
    count = place.remove(workflow, step, discard=discard)
    if step not in known and not count:
        tell(f"{place.address} knows no step {step} of {workflow}; it knows {', '.join(sorted(known)) or 'none'}")
        return False
    discarded = f"; {counted(count, 'message')} that waited for it went with it" if count else ""
    tell(f"{step} of {workflow} is gone from {place.address}{discarded}")
    return True
