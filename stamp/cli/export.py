"""`stamp export`: contracts from code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from stamp.cli.render.visible import visible
from stamp.cli.target import load
from stamp.workflow.draft import Changes
from stamp.workflow.migration import export, planned

__all__ = ["command"]


@click.command(short_help="Write the contracts of a workflow, for git.")
@click.argument("target", metavar="MODULE:WORKFLOW")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The contracts folder.  [default: that of the workflow, ./schemas unless it or the settings say otherwise]",
)
@click.option("--check", is_flag=True, help="Write nothing, and exit with 1 if something would change.")
def command(*, target: str, out: Path | None, check: bool) -> None:
    """Write what the steps listen to, emit, read and write as files, like a migration.

    A changed model becomes the next version of its schema; a released file never changes. Contracts of steps that are not
    defined in MODULE stay as they are.

    Example: stamp export examples.ticket:ticket --out schemas
    """
    workflow = load(target)
    folder = workflow.contracts_folder if out is None else out
    changes = [change for each in planned(workflow, folder) for change in _told(each)]
    if not check:
        export(workflow, folder)
    for change in changes:
        click.echo(visible(f"{'would be ' * check}{change.done} {change.file}"))
    if not changes:
        click.echo("nothing to change")
    if check and changes:
        raise click.exceptions.Exit(1)


class Change(NamedTuple):
    """A file of the contracts and what was done to it."""

    done: str
    file: Path


def _told(changes: Changes) -> Iterator[Change]:
    for file in changes.write:
        yield Change("updated" if file.exists() else "created", file)
    for file in changes.remove:
        yield Change("removed", file)
