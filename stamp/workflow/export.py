"""Contracts from code, like a migration: what the models say now becomes files, and a changed record its next version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stamp.schema.model import avro_schema
from stamp.schema.types import load
from stamp.workflow.draft import Draft, write_contract
from stamp.workflow.step import Read, Step
from stamp.workflow.workflow import Workflow

__all__ = ["drafts", "export"]


def export(workflow: Workflow, folder: str | Path | None = None) -> list[Path]:
    """Write the contracts of the steps that are defined here, and return the files that changed: none the second time.

    `folder` is by default the workflow's contracts folder. Contracts of steps that live elsewhere are not touched.

    Raises:
        WorkflowError: the workflow does not hang together, see `Workflow.check`. ContractError: the folder is not in order.
    """
    target = workflow.contracts_folder if folder is None else Path(folder)
    workflow.check()
    return [changed for draft in drafts(workflow) for changed in write_contract(target, draft)]


def drafts(workflow: Workflow) -> list[Draft]:
    """Return what the contracts of the steps that are defined here should say."""
    return [_draft(workflow, step) for step in workflow.steps.values()]


def _draft(workflow: Workflow, step: Step) -> Draft:
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
        reads={read.step: _reader(workflow, read) for read in reads},
        optional=frozenset(read.step for read in reads if read.optional),
    )


def _reader(workflow: Workflow, read: Read) -> dict[str, Any]:
    """Return a view as a reader schema that any Avro library resolves: with the writers' names as aliases of its own."""
    schema = avro_schema(read.view.model)
    written = workflow.writes(read.step)
    names = sorted({load(each).name for each in written} - {schema["name"], *schema.get("aliases", ())})
    if not names:
        return schema
    return schema | {"aliases": [*schema.get("aliases", ()), *names]}
