"""Contracts from code, like a migration: what the models say now becomes files, and a changed record its next version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from stamp.envelope.format import FILES as FORMAT_FILES
from stamp.schema.model import avro_schema
from stamp.schema.names import namespace_of, unqualified
from stamp.schema.types import load
from stamp.workflow.definition import step_namespace
from stamp.workflow.draft import Changes, Draft, apply, changes
from stamp.workflow.step import Read, Step
from stamp.workflow.wiring import Party, contradictions, obstacle, parties
from stamp.workflow.workflow import Workflow

__all__ = ["draft", "drafts", "export", "planned"]

PUBLISHED: Final = (*FORMAT_FILES, Path(__file__).with_name("step.schema.json"))
"""What lies in the folder `stamp` of all contracts, byte for byte."""

NONE: Final[Mapping[str, Collection[str]]] = MappingProxyType({})
"""Of no step is anything squashed."""


def export(
    workflow: Workflow, folder: str | Path | None = None, *, squashed: Mapping[str, Collection[str]] = NONE
) -> list[Path]:
    """Write the contracts of the steps that are defined here, and return the files that changed: none the second time.

    `folder` is by default the workflow's contracts folder. Contracts of steps that live elsewhere are not touched; when they are in
    the workflow's own folder alone, they are read from there.

    What others have to provide and do not so far, such as the contract of a service that listens to this one, is written all the same:
    `stamp check` tells of it. Of each step the versions that are `squashed` become one: see `stamp.workflow.draft.changes`.

    Raises:
        WorkflowError: a view cannot read what a step that is defined here writes. Nothing has been written then.
        ContractError, SchemaError: a contract of these steps that is there is not in order. Nothing has been written either.
        OSError: the folder cannot be written.
    """
    target = workflow.contracts_folder if folder is None else Path(folder)
    written = [file for each in planned(workflow, target, squashed=squashed) for file in apply(each)]
    workflow.reload()
    return written


def planned(workflow: Workflow, folder: Path, *, squashed: Mapping[str, Collection[str]] = NONE) -> list[Changes]:
    """Return what `export` would change; nothing is written.

    Beside the contracts these are the schemas of the wire format, without which nobody could read an envelope by the folder alone.

    Raises:
        WorkflowError, ContractError, SchemaError: see `export`.
    """
    published = {folder / "stamp" / file.name: file.read_bytes() for file in PUBLISHED}
    missing = {file: data for file, data in published.items() if not file.is_file() or file.read_bytes() != data}
    drafted = (changes(folder, draft, squashed=squashed.get(draft.step, ())) for draft in drafts(workflow, folder))
    return [Changes(missing, ()), *drafted]


def drafts(workflow: Workflow, folder: Path) -> list[Draft]:
    """Return what the contracts of the steps that are defined here should say, beside the contracts in `folder`.

    Raises:
        WorkflowError: a view cannot read what a step that is defined here writes.
    """
    for contradiction in contradictions(workflow.steps, parties(workflow.steps, {})):
        raise contradiction
    known = parties(workflow.steps, {**workflow.others(), **workflow.with_contracts(folder).others()})
    return [draft(workflow, step, known) for step in workflow.steps.values()]


def draft(workflow: Workflow, step: Step, known: Mapping[str, Party]) -> Draft:
    """Return what the contract of a step should say, given all parties that are known."""
    emits = {
        event: avro_schema(emission.model, namespace=emission.namespace)
        for emission in step.emissions.values()
        for event, _ in emission.events
    }
    reads = [read for read in step.reads if not read.is_failure]
    return Draft(
        workflow=workflow.name,
        step=step.name,
        on=step.on,
        emits=emits,
        fails=step.fails,
        ends=step.ends,
        reads={read.step: _reader(read, known.get(read.step), workflow.namespace) for read in reads},
        optional=frozenset(read.step for read in reads if read.optional),
    )


def _reader(read: Read, producer: Party | None, namespace: str) -> dict[str, Any]:
    """Return a view as a reader schema that any Avro library resolves.

    It has the name and the namespace of the record that it reads: Apache Avro for Python knows no aliases, and compares the full names
    also of what is within. Where it reads what is written with other outcomes too, their records are aliases. While nothing is there that it
    can read, it has the model's name, in the namespace of the step.
    """
    written = () if producer is None else producer.writes
    readable = [load(schema).name for schema in written if obstacle(schema, read) is None]
    if not readable:
        return avro_schema(read.view.model, namespace=step_namespace(namespace, read.step))
    name, *others = dict.fromkeys(readable)
    schema = avro_schema(read.view.model, name=unqualified(name), namespace=namespace_of(name))
    aliases = [*schema.get("aliases", ()), *others]
    return schema | {"aliases": aliases} if aliases else schema
