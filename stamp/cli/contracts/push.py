"""`stamp contracts push`: contracts of a folder to where services find them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from stamp.cli.contracts.place import directories, place_options, workflow_option
from stamp.cli.render.console import tell
from stamp.cli.render.quantity import counted
from stamp.cli.render.visible import visible
from stamp.errors import ContractError, InputError, SchemaError
from stamp.ripple.foreign import check_own_files
from stamp.runtime.directories import Directories
from stamp.schema.document import parse
from stamp.workflow.announced import announced
from stamp.workflow.announcement import CONTRACT, folder_documents
from stamp.workflow.contract import StepContract, read_contracts
from stamp.workflow.declaration import FILE
from stamp.workflow.difference import difference
from stamp.workflow.numbering import moves
from stamp.workflow.settings import contracts_folder

__all__ = ["push"]


@click.command(short_help="Announce those of a contracts folder.")
@place_options
@workflow_option
@click.option(
    "--schemas",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The contracts folder.  [default: ./schemas, or what the settings say]",
)
@click.option("--step", "steps", metavar="NAME", multiple=True, help="Only this step. Several if need be.")
def push(
    *,
    store: str | None,
    broker: str | None,
    named: tuple[str, ...],
    schemas: Path | None,
    steps: tuple[str, ...],
) -> None:
    """Announce the contracts of a folder, as their services do when they start: a new version is known before anybody writes it.

    Only what is missing or different is written. What is announced of a step stays where the folder is behind, without a version that is
    announced; its own versions are added. Who listens is not announced: a queue that nobody consumes would fill.

    Exit status: 1 if the folder is behind; 2, and nothing is written of its workflow, if a version is announced with another schema.

    Example: stamp contracts push --store postgresql://user@host/database --step billing
    """
    folder = schemas or contracts_folder()
    contracts = _wanted(folder, named, steps)
    with directories(store, broker, create=True) as place:
        pushed = [_pushed(place, workflow, each) for workflow, each in contracts.items()]
    for line in [line for each in pushed for line in each.written]:
        click.echo(visible(f"announced {line}"))
    written = sum(len(each.written) for each in pushed)
    click.echo(visible(f"{counted(written, 'document')} written to {place.address}"))
    behind = [line for each in pushed for line in each.behind]
    for step in behind:
        tell(f"{step}: a version is announced that {folder} does not have: stamp contracts pull fetches it")
    if behind:
        raise click.exceptions.Exit(1)


def _wanted(folder: Path, workflows: Sequence[str], steps: Sequence[str]) -> Mapping[str, Sequence[StepContract]]:
    """Return the contracts of a folder that are wanted, by their workflows.

    Raises:
        InputError: one that is named is not there. ContractError, SchemaError: the folder is not in order.
    """
    check_own_files(folder)
    found: defaultdict[str, list[StepContract]] = defaultdict(list)
    for each in read_contracts(folder).values():
        if (not workflows or each.workflow in workflows) and (not steps or each.step in steps):
            found[each.workflow].append(each)
    there = {each.step for contracts in found.values() for each in contracts}
    for name in (*(each for each in workflows if each not in found), *(each for each in steps if each not in there)):
        raise InputError(f"expected a workflow or a step that has a contract, got {name!r}", file=folder)
    if not found:
        raise InputError(f"expected <workflow>/<step>/{FILE} in the contracts folder, got none", file=folder)
    return found


class Push(NamedTuple):
    """What was written, and steps of which a version is announced that their folder does not have."""

    written: tuple[str, ...]
    behind: tuple[str, ...]


def _pushed(place: Directories, workflow: str, contracts: Sequence[StepContract]) -> Push:
    texts = {key: each.text for key, each in place.read(workflow).items()}
    known = announced(texts, workflow).steps
    behind = {
        each.step for each in contracts if each.step in known and difference(each.file.parent, known[each.step]).missing
    }
    documents = {key: text for each in contracts for key, text in _documents(each, is_behind=each.step in behind)}
    _check_numbers(documents, texts, {each.step: each.file.parent for each in contracts})
    documents = {key: text for key, text in documents.items() if key not in texts or not _is_same(texts[key], text)}
    if documents:
        place.write(workflow, documents)
    return Push(
        tuple(f"{workflow}: {key}" for key in documents), tuple(f"{workflow}/{step}" for step in sorted(behind))
    )


def _check_numbers(documents: Mapping[str, str], there: Mapping[str, str], homes: Mapping[str, Path]) -> None:
    """Accept versions whose numbers are free there: a step that was taken out has no contract to compare with, and its schemas stay."""
    for each in moves(documents, there):
        raise ContractError(str(each), file=homes[each.step] / f"{each.name}.v{each.version}.avsc")


def _documents(contract: StepContract, *, is_behind: bool) -> Iterator[tuple[str, str]]:
    """Yield what is announced of a step; if its folder is behind the versions alone."""
    for key, text in folder_documents(contract.file.parent).items():
        if not (is_behind and key.startswith(CONTRACT)):
            yield key, text


def _is_same(one: str, other: str) -> bool:
    """Tell whether two documents say the same, in whatever order of keys."""
    try:
        return one == other or json.dumps(parse(one), sort_keys=True) == json.dumps(parse(other), sort_keys=True)
    except SchemaError:
        return False
