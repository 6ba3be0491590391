"""`stamp contracts list`: what is known where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from stamp.cli.contracts import render
from stamp.cli.contracts.place import directories, place_options, workflow_option, workflows
from stamp.cli.render.console import output_console
from stamp.cli.render.visible import json_text
from stamp.runtime.directories import Kept
from stamp.workflow.announced import announced
from stamp.workflow.settings import contracts_folder

__all__ = ["list_command"]

FORMATS: Final = ("text", "json")


@click.command("list", short_help="List them.")
@place_options
@workflow_option
@click.option(
    "--schemas",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The contracts folder, whose workflows are looked for at a broker.  [default: ./schemas, or what the settings say]",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How.")
def list_command(
    *, store: str | None, broker: str | None, named: tuple[str, ...], schemas: Path | None, form: str
) -> None:
    """List what is announced: the steps of each workflow, the versions that they write, and to what their queues listen.

    A store says when they were announced, and when a worker of a step was last seen there, too. What nobody can use is told apart; those who read it pass over it.

    Exit status: 1 if something cannot be used.

    Example: stamp contracts list --store postgresql://user@host/database
    """
    with directories(store, broker) as place:
        found = workflows(place, named, schemas or contracts_folder())
        listings = [_listing(workflow, place.read(workflow)) for workflow in found]
    if form == "json":
        click.echo(json_text(render.document(place.address, listings)).encode())
    else:
        output_console().print(render.text(place.address, listings))
    if any(each.found.faults or each.found.broken for each in listings):
        raise click.exceptions.Exit(1)


def _listing(workflow: str, kept: Mapping[str, Kept]) -> render.Listing:
    found = announced({key: each.text for key, each in kept.items()}, workflow)
    return render.Listing(workflow, found, {key: each.announced_at for key, each in kept.items()})
