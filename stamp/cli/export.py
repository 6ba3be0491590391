"""`stamp export`: contracts from code."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from stamp.cli.render.visible import visible
from stamp.cli.target import load
from stamp.workflow import export
from stamp.workflow.workflow import Workflow

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
    changes = list(_tried(workflow, folder) if check else _changes(workflow, folder))
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


def _changes(workflow: Workflow, folder: Path) -> Iterator[Change]:
    before = set(folder.rglob("*"))
    for file in export(workflow, folder):
        done = "removed" if not file.exists() else "updated" if file in before else "created"
        yield Change(done, file)


def _tried(workflow: Workflow, folder: Path) -> Iterator[Change]:
    """Yield what would change, tried on a copy."""
    with tempfile.TemporaryDirectory(prefix="stamp-") as name:
        copy = Path(name) / "schemas"
        if folder.is_dir():
            shutil.copytree(folder, copy)
        for done, file in _changes(workflow, copy):
            yield Change(done, folder / file.relative_to(copy))
