"""`stamp export`: contracts from code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from stamp.cli.against import baseline_options
from stamp.cli.main_branch import main_branch
from stamp.cli.render.visible import visible
from stamp.cli.target import load
from stamp.cli.unreleased import unreleased
from stamp.errors import InputError
from stamp.ripple.foreign import check_own_files
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
@click.option("--squash", is_flag=True, help="Make one version of those that are not released yet.")
@baseline_options("What is released, for --squash: see `stamp check`. Several if need be.  [default: the main branch]")
def command(
    *, target: str, out: Path | None, check: bool, squash: bool, against: tuple[str, ...], require_baseline: bool
) -> None:
    """Write what the steps listen to, emit, read and write as files, like a migration.

    A changed model becomes the next version of its schema; a released file never changes. Contracts of steps that are not
    defined in MODULE stay as they are. A branch that has changed a model several times has several versions, which --squash makes one;
    never one that is released.

    Example: stamp export examples.ticket:ticket --out schemas
    """
    if (against or require_baseline) and not squash:
        option = "--against" if against else "--require-baseline"
        raise InputError(f"expected --squash beside {option}, which says what is released and stays as it is")
    workflow = load(target)
    folder = workflow.contracts_folder if out is None else out
    check_own_files(folder)
    baselines = against or ((main_branch(folder),) if squash else ())
    squashed = unreleased(workflow.name, folder, baselines, is_required=require_baseline) if squash else {}
    changes = [change for each in planned(workflow, folder, squashed=squashed) for change in _told(each)]
    if not check:
        export(workflow, folder, squashed=squashed)
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
