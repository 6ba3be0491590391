"""What the code of a workflow says that its contracts do not say yet."""

from __future__ import annotations

from pathlib import Path

from stamp.workflow.draft import Changes, changes
from stamp.workflow.migration import drafts
from stamp.workflow.workflow import Workflow

__all__ = ["pending"]


def pending(workflow: Workflow, folder: str | Path) -> tuple[Changes, ...]:
    """Return what an export of the steps that are defined in code would change in a contracts folder. Nothing is written.

    Raises:
        WorkflowError: a view cannot read what a step that is defined in the same code writes.
        ContractError, SchemaError: a contract that is there is not in order.
    """
    return tuple(changes(folder, draft) for draft in drafts(workflow, Path(folder)))
