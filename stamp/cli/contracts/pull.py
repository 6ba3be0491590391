"""`stamp contracts pull`: contracts of others into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from stamp.cli.contracts.place import directories, place_options, workflow_option, workflows
from stamp.cli.render.console import tell
from stamp.cli.render.visible import visible
from stamp.errors import InputError, StampError
from stamp.ripple.foreign import check_own_files
from stamp.runtime.directories import Directories
from stamp.workflow.announced import announced
from stamp.workflow.difference import Difference, difference
from stamp.workflow.draft import Changes, apply
from stamp.workflow.settings import contracts_folder

__all__ = ["pull"]


@click.command(short_help="Fetch them into a contracts folder.")
@place_options
@workflow_option
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The contracts folder.  [default: ./schemas, or what the settings say]",
)
@click.option("--step", "steps", metavar="NAME", multiple=True, help="Only this step. Several if need be.")
@click.option("--except", "own", metavar="NAME", multiple=True, help="Not this step: it is ours. Several if need be.")
def pull(
    *,
    store: str | None,
    broker: str | None,
    named: tuple[str, ...],
    out: Path | None,
    steps: tuple[str, ...],
    own: tuple[str, ...],
) -> None:
    """Write the contracts that services have announced into a folder, so that `stamp check` sees those of other teams.

    Steps that are not there come, and so do versions that are missing. A released file never changes, and nothing is done to steps that
    nobody has announced. What step.json and the views of a step say otherwise here stays as it is, unless --step or --except says whose
    contracts to take; it stays in any case while the folder is ahead, with a version that nobody has announced.

    Exit status: 1 if a contract cannot be used, or a step that is named is not announced; 2, and nothing is written, if a version has
    another schema here.

    Example: stamp contracts pull --store postgresql://user@host/database --except billing
    """
    if steps and own:
        raise InputError("expected --step or --except, got both")
    folder = out or contracts_folder()
    wanted = Wanted(frozenset(steps), frozenset(own))
    check_own_files(folder)
    with directories(store, broker) as place:
        pulls = [_compared(place, workflow, folder / workflow, wanted) for workflow in workflows(place, named, folder)]
    missing = sorted(wanted.steps - {each.home.name for one in pulls for each in one.differences})
    refused = {home: why for one in pulls for home, why in one.refused.items()}
    changed = _written([each for one in pulls for each in one.differences], refused, is_whole=wanted.is_said)
    for step in missing:
        tell(f"no contract of {step} that can be used is announced in {place.address}")
    for home, why in refused.items():
        tell(f"{home}: not taken: {why}")
    if not changed and not refused and not missing:
        click.echo("nothing to change")
    if refused or missing:
        raise click.exceptions.Exit(1)


class Wanted(NamedTuple):
    """Whose contracts are taken: those of `steps`, or all but `own`."""

    steps: frozenset[str]
    own: frozenset[str]

    @property
    def is_said(self) -> bool:
        """Whether somebody has said which contracts are those of others."""
        return bool(self.steps or self.own)

    def takes(self, step: str) -> bool:
        """Tell whether that of a step is taken."""
        return step not in self.own and (not self.steps or step in self.steps)


class Pull(NamedTuple):
    """What is announced of a workflow, beside a folder: how its steps differ, and why some are refused, by their folders."""

    differences: list[Difference]
    refused: dict[Path, str]


def _compared(place: Directories, workflow: str, home: Path, wanted: Wanted) -> Pull:
    found = announced({key: each.text for key, each in place.read(workflow).items()}, workflow)
    for fault in found.faults:
        tell(f"{fault.key}: passed over: {fault.why}")
    steps = {name: step for name, step in found.steps.items() if wanted.takes(name)}
    differences = [difference(home / name, step) for name, step in steps.items() if name not in found.broken]
    return Pull(differences, {home / name: why for name, why in found.broken.items() if name in steps})


def _written(differences: list[Difference], refused: dict[Path, str], *, is_whole: bool) -> bool:
    """Bring folders up to date, and tell whether anything changed; what would contradict itself is refused."""
    changes: list[Changes] = []
    for each in differences:
        is_replaced = each.is_new or (is_whole and not each.ahead)
        try:
            changes.append(each.changes(replace=is_replaced))
        except StampError as error:
            refused[each.home] = str(error)
        else:
            if each.is_said_otherwise and not is_replaced:
                tell(_left(each))
    told = [line for each in changes for line in _told(each)]
    for change in changes:
        apply(change)
    for line in told:
        click.echo(visible(line))
    return bool(told)


def _left(each: Difference) -> str:
    if each.ahead:
        return f"{each.home}: stays as it is: nobody has announced {', '.join(each.ahead)} yet"
    return (
        f"{each.home}: stays as it is, and says otherwise than is announced: take that with --step {each.home.name}, "
        "or say with --except which steps are yours"
    )


def _told(changes: Changes) -> Iterator[str]:
    for file in changes.write:
        yield f"{'updated' if file.exists() else 'created'} {file}"
    for file in changes.remove:
        yield f"removed {file}"
